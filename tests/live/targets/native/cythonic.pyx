# SPDX-License-Identifier: MIT
# cython: language_level=3
cdef long inner(object function, long n):
    return function(n) + 1

cdef class Caller:
    cdef object function

    def __init__(self, function):
        self.function = function

    cpdef long call(self, long n):
        return inner(self.function, n) + inner(self.function, n + 1)

def call(function, n):
    return Caller(function).call(n)
