/* SPDX-License-Identifier: MIT
 * Which of the interpreter's functions are hidden, and which must not be. */
#include "native/machinery.h"

#include "tap.h"
#include "util/attr.h"

static const struct {
	const char *name;
	enum machinery kind;
} cases[] = {
	/* first, last and the neighbours in the table: an unsorted one loses some */
	{ "PyCFunction_Call", MACHINERY_CALL }, { "wrapperdescr_call", MACHINERY_CALL },
	{ "Py_BytesMain", MACHINERY_RUN }, { "_PyCFunction_FastCallDict", MACHINERY_CALL },
	{ "_start", MACHINERY_START }, { "call_function", MACHINERY_CALL },
	{ "_PyEval_EvalFrameDefault", MACHINERY_EVAL },
	{ "_TAIL_CALL_CALL_PY_EXACT_ARGS", MACHINERY_EVAL },
	{ "_PyEval_EvalCodeWithName", MACHINERY_CALL },      /* 3.6 to 3.9 */
	{ "_PyEval_Vector", MACHINERY_CALL },                /* 3.10 on */
	{ "_PyMethodDef_RawFastCallKeywords", MACHINERY_CALL }, /* 3.7 */
	{ "method_vectorcall_FASTCALL_KEYWORDS", MACHINERY_CALL },
	{ "slot_tp_richcompare", MACHINERY_CALL }, { "slot_nb_add", MACHINERY_CALL },
	{ "wrap_init", MACHINERY_CALL }, { "_Py_slot_tp_getattr_hook", MACHINERY_CALL },
	{ "call_attribute", MACHINERY_CALL }, { "richcmp_lt", MACHINERY_CALL },
	{ "pymain_run_python", MACHINERY_RUN }, { "thread_run", MACHINERY_RUN },
	{ "__libc_start_main_impl", MACHINERY_START }, { "clone3", MACHINERY_START },
	/* What people look for. */
	{ "builtin_sorted", MACHINERY_NONE }, { "list_sort_impl", MACHINERY_NONE },
	{ "sre_ucs1_match", MACHINERY_NONE }, { "scan_once_unicode", MACHINERY_NONE },
	{ "encoder_listencode_obj", MACHINERY_NONE }, { "partial_vectorcall", MACHINERY_NONE },
	{ "builtin_exec", MACHINERY_NONE }, { "builtin___build_class__", MACHINERY_NONE },
	{ "PyObject_RichCompare", MACHINERY_NONE }, { "gc_collect_main", MACHINERY_NONE },
	{ "_PyObject_GC_New", MACHINERY_NONE }, { "PyImport_ImportModuleLevelObject", MACHINERY_NONE },
	{ "lru_cache_call", MACHINERY_NONE }, { "method_get", MACHINERY_NONE },
	{ "wrap_strftime", MACHINERY_NONE },
	/* Whole names only. */
	{ "", MACHINERY_NONE }, { "PyObject_Cal", MACHINERY_NONE },
	{ "PyObject_CallX", MACHINERY_NONE }, { "slot_tp", MACHINERY_NONE },
	{ "main2", MACHINERY_NONE },
};

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		is_int(machinery_find(cases[i].name), cases[i].kind, cases[i].name);
	return tap_done();
}
