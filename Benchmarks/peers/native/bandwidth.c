/* How fast threads read memory together. */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

typedef uint64_t vector __attribute__((vector_size(32)));

struct reader {
  pthread_t thread;
  pthread_barrier_t *barrier;
  size_t bytes;
  int passes;
  double seconds;
  uint64_t digest;
};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Every thread writes its own part first, so that pages are there and near its core. */
static void *read_part(void *context) {
  struct reader *reader = context;
  const size_t count = reader->bytes / sizeof(vector) / 4 * 4;
  vector *part = aligned_alloc(64, (reader->bytes + 63) / 64 * 64);
  if (part)
    for (size_t i = 0; i < count; i++) part[i] = (vector){i, i + 1, i + 2, i + 3};
  pthread_barrier_wait(reader->barrier);
  const double start = now();
  vector a = {0}, b = {0}, c = {0}, d = {0};
  if (part)
    for (int pass = 0; pass < reader->passes; pass++) {
      for (size_t i = 0; i < count; i += 4) {
        a ^= part[i];
        b += part[i + 1];
        c ^= part[i + 2];
        d += part[i + 3];
      }
      __asm__ volatile("" : : "r"(part) : "memory"); /* the next pass reads again */
    }
  a += b ^ c ^ d;
  reader->digest = a[0] ^ a[1] ^ a[2] ^ a[3];
  reader->seconds = part ? now() - start : 0;
  free(part);
  return NULL;
}

/* Bytes a second that `threads` threads read at once, each `passes` times over `bytes_each` of its own memory, by the
 * slowest of them. 0 when memory or threads could not be had. */
double read_bandwidth(int threads, size_t bytes_each, int passes) {
  struct reader *readers = calloc((size_t)threads, sizeof *readers);
  pthread_barrier_t barrier;
  if (!readers || pthread_barrier_init(&barrier, NULL, (unsigned)threads) != 0) {
    free(readers);
    return 0;
  }
  for (int i = 0; i < threads; i++) {
    readers[i].barrier = &barrier;
    readers[i].bytes = bytes_each;
    readers[i].passes = passes;
    /* The others would wait at the barrier for ever. */
    if (pthread_create(&readers[i].thread, NULL, read_part, &readers[i]) != 0) abort();
  }
  double slowest = 0;
  int failed = 0;
  volatile uint64_t digest = 0;
  for (int i = 0; i < threads; i++) {
    pthread_join(readers[i].thread, NULL);
    if (readers[i].seconds <= 0) failed = 1;
    if (readers[i].seconds > slowest) slowest = readers[i].seconds;
    digest ^= readers[i].digest;
  }
  pthread_barrier_destroy(&barrier);
  free(readers);
  return failed ? 0 : (double)threads * (double)bytes_each * passes / slowest;
}
