/*
 * The only file with OpenMP in it. A plain parallel region and a shared counter take the place of schedule(dynamic):
 * the latter calls __kmpc_dispatch_deinit when compiled by Clang 21, which the libomp of Debian 12 lacks. The functions
 * of the runtime are declared here because Debian keeps omp.h outside the paths that Swift's clang searches.
 */
#include "parallel.h"

#include <stdatomic.h>

#include "attention.h"

#ifdef _OPENMP
extern int omp_get_max_threads(void);
extern int omp_get_thread_num(void);
#endif

int attn_max_threads(void) {
#ifdef _OPENMP
  return omp_get_max_threads();
#else
  return 1;
#endif
}

/* FLOPs worth another thread: some 10 us of work, where waking one takes from 2 us to 50. Attention of two heads with
 * S = 16, D = 32 took 7 ms on two threads while other programs kept the cores busy, and 10 us on one. */
#define THREAD_FLOPS 1e6

int attn_threads_worth(int asked, double flops) {
  if (asked > 0) return asked;
  int most = attn_max_threads();
  double worth = flops / THREAD_FLOPS;
  return worth >= most ? most : worth < 1 ? 1 : (int)worth;
}

void attn_parallel(int threads, int64_t items, attn_body *body, void *context) {
#ifdef _OPENMP
  if (threads > 1 && items > 1) {
    _Atomic int64_t next = 0;
#pragma omp parallel num_threads(threads)
    {
      int thread = omp_get_thread_num();
      for (int64_t item; (item = atomic_fetch_add_explicit(&next, 1, memory_order_relaxed)) < items;)
        body(context, thread, item);
    }
    return;
  }
#else
  (void)threads;
#endif
  for (int64_t item = 0; item < items; item++) body(context, 0, item);
}
