// SPDX-License-Identifier: MIT
// A C++ extension: templates, virtual calls, std::function, and an exception thrown through all of them.
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <functional>
#include <memory>
#include <stdexcept>
#include <vector>

namespace mixed {

struct Caller {
	virtual ~Caller() = default;
	virtual long call(PyObject *function, long n) = 0;
};

template <typename T> struct TypedCaller : Caller {
	__attribute__((noinline)) long call(PyObject *function, long n) override
	{
		PyObject *r = PyObject_CallFunction(function, "l", n);
		if (!r)
			throw std::runtime_error("the callback failed");
		long value = PyLong_AsLong(r);
		Py_DECREF(r);
		return static_cast<long>(static_cast<T>(value));
	}
};

template <typename T> __attribute__((noinline)) long each(const std::vector<T> &values, const std::function<long(T)> &f)
{
	long sum = 0;
	for (const T &v : values)
		sum += f(v);
	return sum;
}

__attribute__((noinline)) static long throwing(long n)
{
	try {
		each<long>({ n }, [](long v) -> long { throw v; });
	} catch (long v) {
		return v;
	}
	return -1;
}

} // namespace mixed

static PyObject *call(PyObject *, PyObject *args)
{
	PyObject *function;
	long n;
	if (!PyArg_ParseTuple(args, "Ol", &function, &n))
		return nullptr;
	try {
		std::unique_ptr<mixed::Caller> caller(new mixed::TypedCaller<short>);
		long sum = mixed::each<int>({ 1, 2 }, [&](int v) { return caller->call(function, n + v); });
		return PyLong_FromLong(sum + mixed::throwing(n) - n);
	} catch (const std::exception &e) {
		PyErr_SetString(PyExc_RuntimeError, e.what());
		return nullptr;
	}
}

static PyMethodDef methods[] = { { "call", call, METH_VARARGS, nullptr }, { nullptr, nullptr, 0, nullptr } };
static PyModuleDef definition = { PyModuleDef_HEAD_INIT, "templates", nullptr, -1, methods, nullptr, nullptr, nullptr, nullptr };

PyMODINIT_FUNC PyInit_templates()
{
	return PyModule_Create(&definition);
}
