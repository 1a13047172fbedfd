/* SPDX-License-Identifier: MIT
 * Slots of PyTypeObject: Include/typeslots.h, Include/cpython/object.h, names as in slotdefs
 * (Objects/typeobject.c). */
#include "type_slots.h"

#include "util/attr.h"

/* Words of PyTypeObject, from tp_name on. */
enum { TYPE = 0, ASYNC = 7, NUMBER = 9, SEQUENCE = 10, MAPPING = 11, BUFFER = 17 };

const struct type_slot type_slots[] = {
	{ 52, TYPE, 3, "tp_dealloc" }, { 57, TYPE, 5, "__getattribute__" }, { 68, TYPE, 6, "tp_setattr" },
	{ 66, TYPE, 8, "__repr__" }, { 59, TYPE, 12, "__hash__" }, { 50, TYPE, 13, "__call__" },
	{ 70, TYPE, 14, "__str__" }, { 58, TYPE, 15, "__getattribute__" },
	{ 69, TYPE, 16, "tp_setattro" }, { 71, TYPE, 20, "tp_traverse" }, { 51, TYPE, 21, "tp_clear" },
	{ 67, TYPE, 22, "tp_richcompare" }, { 62, TYPE, 24, "__iter__" },
	{ 63, TYPE, 25, "__next__" }, { 54, TYPE, 31, "__get__" }, { 55, TYPE, 32, "tp_descr_set" },
	{ 60, TYPE, 34, "__init__" }, { 47, TYPE, 35, "tp_alloc" }, { 65, TYPE, 36, "__new__" },
	{ 74, TYPE, 37, "tp_free" }, { 61, TYPE, 38, "tp_is_gc" }, { 53, TYPE, 44, "__del__" },
	{ 80, TYPE, 46, "__del__" }, { 82, TYPE, 47, "tp_vectorcall" },

	{ 77, ASYNC, 0, "__await__" }, { 78, ASYNC, 1, "__aiter__" }, { 79, ASYNC, 2, "__anext__" },
	{ 81, ASYNC, 3, "am_send" },

	{ 7, NUMBER, 0, "__add__" }, { 36, NUMBER, 1, "__sub__" }, { 29, NUMBER, 2, "__mul__" },
	{ 34, NUMBER, 3, "__mod__" }, { 10, NUMBER, 4, "__divmod__" }, { 33, NUMBER, 5, "__pow__" },
	{ 30, NUMBER, 6, "__neg__" }, { 32, NUMBER, 7, "__pos__" }, { 6, NUMBER, 8, "__abs__" },
	{ 9, NUMBER, 9, "__bool__" }, { 27, NUMBER, 10, "__invert__" },
	{ 28, NUMBER, 11, "__lshift__" }, { 35, NUMBER, 12, "__rshift__" },
	{ 8, NUMBER, 13, "__and__" }, { 38, NUMBER, 14, "__xor__" }, { 31, NUMBER, 15, "__or__" },
	{ 26, NUMBER, 16, "__int__" }, { 11, NUMBER, 18, "__float__" },
	{ 14, NUMBER, 19, "__iadd__" }, { 23, NUMBER, 20, "__isub__" },
	{ 18, NUMBER, 21, "__imul__" }, { 21, NUMBER, 22, "__imod__" },
	{ 20, NUMBER, 23, "__ipow__" }, { 17, NUMBER, 24, "__ilshift__" },
	{ 22, NUMBER, 25, "__irshift__" }, { 15, NUMBER, 26, "__iand__" },
	{ 25, NUMBER, 27, "__ixor__" }, { 19, NUMBER, 28, "__ior__" },
	{ 12, NUMBER, 29, "__floordiv__" }, { 37, NUMBER, 30, "__truediv__" },
	{ 16, NUMBER, 31, "__ifloordiv__" }, { 24, NUMBER, 32, "__itruediv__" },
	{ 13, NUMBER, 33, "__index__" }, { 75, NUMBER, 34, "__matmul__" },
	{ 76, NUMBER, 35, "__imatmul__" },

	{ 45, SEQUENCE, 0, "__len__" }, { 40, SEQUENCE, 1, "__add__" }, { 46, SEQUENCE, 2, "__mul__" },
	{ 44, SEQUENCE, 3, "__getitem__" }, { 39, SEQUENCE, 5, "sq_ass_item" },
	{ 41, SEQUENCE, 7, "__contains__" }, { 42, SEQUENCE, 8, "__iadd__" },
	{ 43, SEQUENCE, 9, "__imul__" },

	{ 4, MAPPING, 0, "__len__" }, { 5, MAPPING, 1, "__getitem__" },
	{ 3, MAPPING, 2, "mp_ass_subscript" },

	{ 1, BUFFER, 0, "bf_getbuffer" }, { 2, BUFFER, 1, "bf_releasebuffer" },
};
const size_t type_slot_count = ARRAY_SIZE(type_slots);

/* 1 to 4 have other numbers in what is compiled for 3.15 (Include/slots_generated.h). */
enum { RENUMBERED = 88, RENUMBERED_BY = 87, RENUMBERED_LAST = 91 };

const struct type_slot *type_slot_by_number(uint64_t number)
{
	if (number >= RENUMBERED && number <= RENUMBERED_LAST)
		number -= RENUMBERED_BY;
	for (size_t i = 0; i < type_slot_count; i++)
		if (type_slots[i].number == number)
			return &type_slots[i];
	return NULL;
}
