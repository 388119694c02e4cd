/* clock_gettime, under a strict C11. */
#define _POSIX_C_SOURCE 200809L

#include "peak.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loops.h"

static bool is_available(const char *isa) {
#if defined(__x86_64__)
  if (strcmp(isa, "avx2") == 0) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (strcmp(isa, "avx512") == 0) return __builtin_cpu_supports("avx512f");
#endif
  return true;
}

const peak_loop *peak_find(const char *isa, int real_bits) {
  for (const peak_loop *loop = peak_loops; loop->isa; loop++)
    if (strcmp(loop->isa, isa) == 0 && loop->real_bits == real_bits) return is_available(isa) ? loop : NULL;
  return NULL;
}

/* What the threads of one measurement share. */
struct race {
  const peak_loop *loop;
  double seconds;
  int runners;
  atomic_int ready;
  atomic_bool cancelled;
};

struct runner {
  struct race *race;
  pthread_t thread;
  double rate;
};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* About 10 microseconds of arithmetic between two looks at the clock. Every thread runs until its own time is over, so
 * that one that was kept from its core is counted as slow and not as short. */
static void *run(void *context) {
  enum { ITERATIONS = 4096 };
  struct runner *runner = context;
  struct race *race = runner->race;
  atomic_fetch_add(&race->ready, 1);
  while (atomic_load(&race->ready) < race->runners) {
    if (atomic_load(&race->cancelled)) return NULL;
    sched_yield();
  }
  const double start = now();
  double elapsed = 0;
  int64_t chunks = 0;
  while (elapsed < race->seconds) {
    race->loop->run(ITERATIONS);
    chunks++;
    elapsed = now() - start;
  }
  const double flops = 2.0 * race->loop->lanes * race->loop->chains * ITERATIONS;
  runner->rate = (double)chunks * flops / elapsed;
  return NULL;
}

double peak_rate(const peak_loop *loop, int threads, double seconds) {
  struct race race = {.loop = loop, .seconds = seconds, .runners = threads};
  struct runner *runners = calloc((size_t)threads, sizeof *runners);
  if (!runners) return 0;
  int started = 0;
  while (started < threads) {
    runners[started].race = &race;
    if (pthread_create(&runners[started].thread, NULL, run, &runners[started]) != 0) break;
    started++;
  }
  if (started < threads) atomic_store(&race.cancelled, true);
  double rate = 0;
  for (int i = 0; i < started; i++) {
    pthread_join(runners[i].thread, NULL);
    rate += runners[i].rate;
  }
  free(runners);
  return started < threads ? 0 : rate;
}
