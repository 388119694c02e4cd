/*
 * The arithmetic limit of this machine's cores: how many multiply-adds a second an instruction set does when nothing
 * but arithmetic limits it.
 */
#ifndef PEAK_H
#define PEAK_H

#include <stdint.h>

/* A loop of independent chains of multiply-adds, each chain one vector register. There are enough chains to cover the
 * latency of the instructions on every port. */
typedef struct peak_loop {
  const char *isa;       /* as swift-attention names it */
  int real_bits;         /* 32 or 64 */
  const char *operation; /* "FMA", or "mul+add" where the instruction set's kernels use two instructions */
  int lanes, chains;
  void (*run)(int64_t iterations);
} peak_loop;

/* The loop of an instruction set; null when there is none or this machine cannot run it. */
const peak_loop *peak_find(const char *isa, int real_bits);

/* FLOP/s of `threads` threads that run the loop at once for about `seconds`: the sum of the rates that each of them
 * saw on the wall clock. 0 when the threads could not be started. */
double peak_rate(const peak_loop *loop, int threads, double seconds);

#endif
