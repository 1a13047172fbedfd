// SPDX-License-Identifier: MIT
//! The Rust of the tests of unwinding: generic functions and closures between ctypes and the callback; and a panic that
//! is caught, so that it unwinds by the same tables as we do.
use std::hint::black_box;
use std::panic;

#[inline(never)]
fn rusty_inner<F: Fn(i32) -> i32>(call: &F, n: i32) -> i32 {
    let room = [black_box(n); 9];
    call(n) + black_box(room)[3] - n
}

#[inline(never)]
fn rusty_generic<T: Into<i64> + Copy, F: Fn(i32) -> i32>(values: &[T], call: &F) -> i64 {
    values.iter().map(|v| { let w: i64 = (*v).into(); w + black_box(rusty_inner(call, w as i32)) as i64 }).sum()
}

#[no_mangle]
pub extern "C" fn mixed_call(call: extern "C" fn(i32) -> i32, n: i32) -> i32 {
    let caught = panic::catch_unwind(|| { if black_box(n) == i32::MIN { panic!("never") } ; 0 });
    let sum = rusty_generic(black_box(&[n, n + 1]), &|x| call(x));
    black_box(sum) as i32 + caught.unwrap_or(1)
}
