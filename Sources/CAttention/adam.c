/* Optimisation: parts are cut into items of one size, which threads take. */
#include <math.h>

#include "check.h"
#include "dispatch.h"
#include "parallel.h"
#include "scratch.h"
#include "status.h"
#include "view.h"

#define ITEM_NUMBERS 32768
/* Numbers that a sum of squares adds in the compute type before it goes on in double. */
#define RUN_NUMBERS 1024

typedef struct adam_call {
  const attn_adam_part *parts;
  int64_t *first_items; /* of each part */
  int64_t count, bytes;
  const attn_kernels *kernels;
  attn_adam_factors factors;
} adam_call;

static int64_t items_of(int64_t numbers) { return (numbers + ITEM_NUMBERS - 1) / ITEM_NUMBERS; }

static void adam_item(void *context, int thread, int64_t item) {
  (void)thread;
  const adam_call *c = context;
  int64_t low = 0, high = c->count - 1;
  while (low < high) {
    int64_t middle = (low + high + 1) / 2;
    if (c->first_items[middle] <= item)
      low = middle;
    else
      high = middle - 1;
  }
  const attn_adam_part *part = &c->parts[low];
  int64_t first = (item - c->first_items[low]) * ITEM_NUMBERS, at = first * c->bytes;
  c->kernels->adam((char *)part->parameter + at, (char *)part->mean + at, (char *)part->square + at,
                   part->gradient ? (const char *)part->gradient + at : NULL,
                   attn_min(ITEM_NUMBERS, part->count - first), &c->factors);
}

attn_status attn_adam_step(const attn_adam *a, const attn_adam_part *parts, int64_t count) {
  attn_status status = attn_check_adam(a, parts, count);
  if (status != ATTN_OK || count == 0) return status;
  adam_call c = {.parts = parts, .count = count, .kernels = attn_kernels_for(a->type, NULL)};
  if (!c.kernels) return ATTN_ERROR_ISA;
  c.bytes = c.kernels->real_bytes;
  c.factors = (attn_adam_factors){.scale = a->scale,
                                  .beta1 = a->beta1,
                                  .beta2 = a->beta2,
                                  .keep = 1 - a->rate * a->decay,
                                  .rate = a->rate / (1 - pow(a->beta1, (double)a->step)),
                                  .root = 1 / sqrt(1 - pow(a->beta2, (double)a->step)),
                                  .epsilon = a->epsilon};
  attn_arena *arena = attn_arena_take((size_t)count * sizeof(int64_t));
  if (!arena) return attn_fail(ATTN_ERROR_OUT_OF_MEMORY, "%lld parts are too many", (long long)count);
  c.first_items = arena->data;
  int64_t items = 0;
  for (int64_t i = 0; i < count; i++) c.first_items[i] = items, items += items_of(parts[i].count);
  attn_parallel(a->threads ? a->threads : attn_max_threads(), items, adam_item, &c);
  attn_arena_give(arena);
  return ATTN_OK;
}

typedef struct squares_call {
  const attn_kernels *kernels;
  const char *numbers;
  int64_t count;
  double *sums; /* an item */
} squares_call;

static void squares_item(void *context, int thread, int64_t item) {
  (void)thread;
  const squares_call *c = context;
  int64_t end = attn_min(c->count, (item + 1) * ITEM_NUMBERS);
  double sum = 0;
  for (int64_t i = item * ITEM_NUMBERS; i < end; i += RUN_NUMBERS) {
    const char *x = c->numbers + i * c->kernels->real_bytes;
    sum += c->kernels->dot(x, x, attn_min(RUN_NUMBERS, end - i));
  }
  c->sums[item] = sum;
}

attn_status attn_sum_of_squares(attn_type type, const void *numbers, int64_t count, int threads, double *sum) {
  attn_status status = attn_check_numbers(type, count, numbers, "numbers", threads);
  if (status != ATTN_OK) return status;
  if (!sum) return attn_fail(ATTN_ERROR_NULL_POINTER, "sum is null");
  *sum = 0;
  if (count == 0) return ATTN_OK;
  squares_call c = {.kernels = attn_kernels_for(type, NULL), .numbers = numbers, .count = count};
  if (!c.kernels) return ATTN_ERROR_ISA;
  int64_t items = items_of(count);
  attn_arena *arena = attn_arena_take((size_t)items * sizeof(double));
  if (!arena) return attn_fail(ATTN_ERROR_OUT_OF_MEMORY, "%lld numbers are too many", (long long)count);
  c.sums = arena->data;
  attn_parallel(threads ? threads : attn_max_threads(), items, squares_item, &c);
  for (int64_t i = 0; i < items; i++) *sum += c.sums[i];
  attn_arena_give(arena);
  return ATTN_OK;
}
