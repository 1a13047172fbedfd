/* SPDX-License-Identifier: MIT
 * The table of the interpreter's call and eval machinery.
 *
 * Names as in the symbol tables of CPython 3.6 to 3.13 built with gcc, and for 3.14 and 3.15 in
 * Python/ceval.c, Objects/call.c, Objects/descrobject.c, Objects/methodobject.c. Static functions
 * that are always inlined (_PyObject_VectorcallTstate …) are here for builds that do not. */
#include "native/machinery.h"

#include <stdlib.h>
#include <string.h>

#include "util/attr.h"

struct row {
	const char *name;
	enum machinery kind;
};

/* In the order of strcmp(): "_" stands between the capitals and the small letters. */
static const struct row rows[] = {
	{ "PyCFunction_Call", MACHINERY_CALL },
	{ "PyEval_CallFunction", MACHINERY_CALL },
	{ "PyEval_CallMethod", MACHINERY_CALL },
	{ "PyEval_CallObjectWithKeywords", MACHINERY_CALL },
	{ "PyEval_EvalCode", MACHINERY_CALL },
	{ "PyEval_EvalCodeEx", MACHINERY_CALL },
	{ "PyEval_EvalFrame", MACHINERY_CALL },
	{ "PyEval_EvalFrameEx", MACHINERY_CALL },
	{ "PyGen_am_send", MACHINERY_CALL },
	{ "PyObject_Call", MACHINERY_CALL },
	{ "PyObject_CallFunction", MACHINERY_CALL },
	{ "PyObject_CallFunctionObjArgs", MACHINERY_CALL },
	{ "PyObject_CallMethod", MACHINERY_CALL },
	{ "PyObject_CallMethodObjArgs", MACHINERY_CALL },
	{ "PyObject_CallNoArgs", MACHINERY_CALL },
	{ "PyObject_CallObject", MACHINERY_CALL },
	{ "PyObject_CallOneArg", MACHINERY_CALL },
	{ "PyObject_Vectorcall", MACHINERY_CALL },
	{ "PyObject_VectorcallDict", MACHINERY_CALL },
	{ "PyObject_VectorcallMethod", MACHINERY_CALL },
	{ "PyRun_AnyFile", MACHINERY_RUN },
	{ "PyRun_AnyFileEx", MACHINERY_RUN },
	{ "PyRun_AnyFileExFlags", MACHINERY_RUN },
	{ "PyRun_AnyFileFlags", MACHINERY_RUN },
	{ "PyRun_File", MACHINERY_RUN },
	{ "PyRun_FileEx", MACHINERY_RUN },
	{ "PyRun_FileExFlags", MACHINERY_RUN },
	{ "PyRun_FileFlags", MACHINERY_RUN },
	{ "PyRun_InteractiveLoop", MACHINERY_RUN },
	{ "PyRun_InteractiveLoopFlags", MACHINERY_RUN },
	{ "PyRun_InteractiveOne", MACHINERY_RUN },
	{ "PyRun_InteractiveOneFlags", MACHINERY_RUN },
	{ "PyRun_InteractiveOneObject", MACHINERY_RUN },
	{ "PyRun_InteractiveOneObjectEx", MACHINERY_RUN },
	{ "PyRun_SimpleFile", MACHINERY_RUN },
	{ "PyRun_SimpleFileEx", MACHINERY_RUN },
	{ "PyRun_SimpleFileExFlags", MACHINERY_RUN },
	{ "PyRun_SimpleString", MACHINERY_RUN },
	{ "PyRun_SimpleStringFlags", MACHINERY_RUN },
	{ "PyRun_String", MACHINERY_RUN },
	{ "PyRun_StringFlags", MACHINERY_RUN },
	{ "PyVectorcall_Call", MACHINERY_CALL },
	{ "Py_BytesMain", MACHINERY_RUN },
	{ "Py_Main", MACHINERY_RUN },
	{ "Py_RunMain", MACHINERY_RUN },
	{ "_PyCFunction_FastCallDict", MACHINERY_CALL },
	{ "_PyCFunction_FastCallKeywords", MACHINERY_CALL },
	{ "_PyCallMethodDescriptorFastWithKeywords_StackRef", MACHINERY_CALL },
	{ "_PyCallMethodDescriptorFastWithKeywords_StackRefSteal", MACHINERY_CALL },
	{ "_PyCallMethodDescriptorFast_StackRef", MACHINERY_CALL },
	{ "_PyCallMethodDescriptorFast_StackRefSteal", MACHINERY_CALL },
	{ "_PyEvalFramePushAndInit", MACHINERY_CALL },
	{ "_PyEvalFramePushAndInit_Ex", MACHINERY_CALL },
	{ "_PyEval_EvalCode", MACHINERY_CALL },
	{ "_PyEval_EvalCodeWithName", MACHINERY_CALL },
	{ "_PyEval_EvalFrame", MACHINERY_CALL },
	{ "_PyEval_EvalFrameDefault", MACHINERY_EVAL },
	{ "_PyEval_Vector", MACHINERY_CALL },
	{ "_PyFunction_FastCall", MACHINERY_CALL },
	{ "_PyFunction_FastCallDict", MACHINERY_CALL },
	{ "_PyFunction_FastCallKeywords", MACHINERY_CALL },
	{ "_PyFunction_Vectorcall", MACHINERY_CALL },
	{ "_PyGen_Send", MACHINERY_CALL },
	{ "_PyMethodDef_RawFastCallDict", MACHINERY_CALL },
	{ "_PyMethodDef_RawFastCallKeywords", MACHINERY_CALL },
	{ "_PyMethodDescr_FastCallKeywords", MACHINERY_CALL },
	{ "_PyMethodDescr_Vectorcall", MACHINERY_CALL },
	{ "_PyObject_Call", MACHINERY_CALL },
	{ "_PyObject_CallFunctionVa", MACHINERY_CALL },
	{ "_PyObject_CallFunction_SizeT", MACHINERY_CALL },
	{ "_PyObject_CallMethod", MACHINERY_CALL },
	{ "_PyObject_CallMethodFormat", MACHINERY_CALL },
	{ "_PyObject_CallMethodId", MACHINERY_CALL },
	{ "_PyObject_CallMethodIdObjArgs", MACHINERY_CALL },
	{ "_PyObject_CallMethodId_SizeT", MACHINERY_CALL },
	{ "_PyObject_CallMethod_SizeT", MACHINERY_CALL },
	{ "_PyObject_CallNoArgs", MACHINERY_CALL },
	{ "_PyObject_Call_Prepend", MACHINERY_CALL },
	{ "_PyObject_FastCall", MACHINERY_CALL },
	{ "_PyObject_FastCallDict", MACHINERY_CALL },
	{ "_PyObject_FastCallDictTstate", MACHINERY_CALL },
	{ "_PyObject_FastCallKeywords", MACHINERY_CALL },
	{ "_PyObject_FastCall_Prepend", MACHINERY_CALL },
	{ "_PyObject_MakeTpCall", MACHINERY_CALL },
	{ "_PyObject_Vectorcall", MACHINERY_CALL },
	{ "_PyObject_VectorcallDictTstate", MACHINERY_CALL },
	{ "_PyObject_VectorcallPrepend", MACHINERY_CALL },
	{ "_PyObject_VectorcallTstate", MACHINERY_CALL },
	{ "_PyRun_AnyFile", MACHINERY_RUN },
	{ "_PyRun_AnyFileObject", MACHINERY_RUN },
	{ "_PyRun_File", MACHINERY_RUN },
	{ "_PyRun_InteractiveLoop", MACHINERY_RUN },
	{ "_PyRun_InteractiveLoopObject", MACHINERY_RUN },
	{ "_PyRun_InteractiveOne", MACHINERY_RUN },
	{ "_PyRun_SimpleFile", MACHINERY_RUN },
	{ "_PyRun_SimpleFileObject", MACHINERY_RUN },
	{ "_PyRun_SimpleString", MACHINERY_RUN },
	{ "_PyRun_SimpleStringFlagsWithName", MACHINERY_RUN },
	{ "_PyRun_String", MACHINERY_RUN },
	{ "_PyRun_StringFlagsWithName", MACHINERY_RUN },
	{ "_PyVectorcall_Call", MACHINERY_CALL },
	{ "_Py_BuiltinCallFastWithKeywords_StackRef", MACHINERY_CALL },
	{ "_Py_BuiltinCallFastWithKeywords_StackRefSteal", MACHINERY_CALL },
	{ "_Py_BuiltinCallFast_StackRef", MACHINERY_CALL },
	{ "_Py_BuiltinCallFast_StackRefSteal", MACHINERY_CALL },
	{ "_Py_CallBuiltinClass_StackRef", MACHINERY_CALL },
	{ "_Py_CallBuiltinClass_StackRefSteal", MACHINERY_CALL },
	{ "_Py_UnixMain", MACHINERY_RUN },
	{ "_Py_VectorCallInstrumentation_StackRefSteal", MACHINERY_CALL },
	{ "_Py_VectorCall_StackRefSteal", MACHINERY_CALL },
	{ "__clone", MACHINERY_START },
	{ "__clone3", MACHINERY_START },
	{ "__libc_start_call_main", MACHINERY_START },
	{ "__libc_start_main", MACHINERY_START },
	{ "__libc_start_main_impl", MACHINERY_START },
	{ "_pymain_run_repl", MACHINERY_RUN },
	{ "_start", MACHINERY_START },
	{ "call_attribute", MACHINERY_CALL },
	{ "call_function", MACHINERY_CALL },
	{ "call_maybe", MACHINERY_CALL },
	{ "call_method", MACHINERY_CALL },
	{ "call_unbound", MACHINERY_CALL },
	{ "call_unbound_noarg", MACHINERY_CALL },
	{ "callmethod", MACHINERY_CALL },
	{ "cfunction_call", MACHINERY_CALL },
	{ "cfunction_call_varargs", MACHINERY_CALL },
	{ "cfunction_vectorcall_FASTCALL", MACHINERY_CALL },
	{ "cfunction_vectorcall_FASTCALL_KEYWORDS", MACHINERY_CALL },
	{ "cfunction_vectorcall_FASTCALL_KEYWORDS_METHOD", MACHINERY_CALL },
	{ "cfunction_vectorcall_NOARGS", MACHINERY_CALL },
	{ "cfunction_vectorcall_O", MACHINERY_CALL },
	{ "classmethoddescr_call", MACHINERY_CALL },
	{ "clone", MACHINERY_START },
	{ "clone3", MACHINERY_START },
	{ "do_call_core", MACHINERY_CALL },
	{ "fast_function", MACHINERY_CALL },
	{ "function_call", MACHINERY_CALL },
	{ "function_code_fastcall", MACHINERY_CALL },
	{ "gen_iternext", MACHINERY_CALL },
	{ "gen_send", MACHINERY_CALL },
	{ "gen_send_ex", MACHINERY_CALL },
	{ "gen_send_ex2", MACHINERY_CALL },
	{ "instancemethod_call", MACHINERY_CALL },
	{ "main", MACHINERY_RUN },
	{ "method_call", MACHINERY_CALL },
	{ "method_vectorcall", MACHINERY_CALL },
	{ "method_vectorcall_FASTCALL", MACHINERY_CALL },
	{ "method_vectorcall_FASTCALL_KEYWORDS", MACHINERY_CALL },
	{ "method_vectorcall_FASTCALL_KEYWORDS_METHOD", MACHINERY_CALL },
	{ "method_vectorcall_NOARGS", MACHINERY_CALL },
	{ "method_vectorcall_O", MACHINERY_CALL },
	{ "method_vectorcall_VARARGS", MACHINERY_CALL },
	{ "method_vectorcall_VARARGS_KEYWORDS", MACHINERY_CALL },
	{ "methoddescr_call", MACHINERY_CALL },
	{ "object_vacall", MACHINERY_CALL },
	{ "py_trampoline_evaluator", MACHINERY_CALL },
	{ "pymain_main", MACHINERY_RUN },
	{ "pymain_repl", MACHINERY_RUN },
	{ "pymain_run_command", MACHINERY_RUN },
	{ "pymain_run_file", MACHINERY_RUN },
	{ "pymain_run_file_obj", MACHINERY_RUN },
	{ "pymain_run_module", MACHINERY_RUN },
	{ "pymain_run_python", MACHINERY_RUN },
	{ "pymain_run_stdin", MACHINERY_RUN },
	{ "pyrun_file", MACHINERY_RUN },
	{ "pythread_wrapper", MACHINERY_RUN },
	{ "run_eval_code_obj", MACHINERY_RUN },
	{ "run_mod", MACHINERY_RUN },
	{ "start_thread", MACHINERY_START },
	{ "t_bootstrap", MACHINERY_RUN },
	{ "thread_run", MACHINERY_RUN },
	{ "type_call", MACHINERY_CALL },
	{ "vectorcall_maybe", MACHINERY_CALL },
	{ "vectorcall_method", MACHINERY_CALL },
	{ "vectorcall_unbound", MACHINERY_CALL },
	{ "wrap_strftime", MACHINERY_NONE }, /* datetime's, part of the interpreter in Debian */
	{ "wrapper_call", MACHINERY_CALL },
	{ "wrapperdescr_call", MACHINERY_CALL },
};

/* Families: every name that begins so. */
static const struct row families[] = {
	{ "_TAIL_CALL_", MACHINERY_EVAL }, /* 3.14+ --with-tail-call-interp: a function an opcode */
	{ "_Py_slot_tp_", MACHINERY_CALL },
	{ "richcmp_", MACHINERY_CALL },    /* wrappers of a type's comparisons */
	{ "slot_am_", MACHINERY_CALL },    /* from a C slot to the class's __method__ */
	{ "slot_bf_", MACHINERY_CALL },
	{ "slot_mp_", MACHINERY_CALL },
	{ "slot_nb_", MACHINERY_CALL },
	{ "slot_sq_", MACHINERY_CALL },
	{ "slot_tp_", MACHINERY_CALL },
	{ "wrap_", MACHINERY_CALL },       /* the other way round: object.__init__ as a method */
};

static int compare(const void *name, const void *row)
{
	return strcmp(name, ((const struct row *)row)->name);
}

enum machinery machinery_find(const char *name)
{
	const struct row *row = bsearch(name, rows, ARRAY_SIZE(rows), sizeof(*rows), compare);

	if (row)
		return row->kind;
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		if (!strncmp(name, families[i].name, strlen(families[i].name)))
			return families[i].kind;
	return MACHINERY_NONE;
}
