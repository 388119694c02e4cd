/* Numbers one by one, in items that threads take. */
#include <math.h>
#include <string.h>

#include "check.h"
#include "dispatch.h"
#include "parallel.h"
#include "status.h"
#include "view.h"

#define ITEM_NUMBERS 16384

typedef struct elementwise_call {
  const attn_kernels *kernels;
  int64_t count, columns; /* numbers; rows and columns of attn_bias_rows */
  char *x;
  const char *other; /* the bias, y, or what is dropped from */
  bool tanh;
  uint64_t threshold, seed;
  double factor;
} elementwise_call;

static int64_t item_rows(int64_t columns) { return attn_max(1, ITEM_NUMBERS / columns); }

static void bias_item(void *context, int thread, int64_t item) {
  (void)thread;
  const elementwise_call *c = context;
  int64_t rows = item_rows(c->columns), end = attn_min(c->count, (item + 1) * rows);
  for (int64_t r = item * rows; r < end; r++)
    c->kernels->bias_row(c->x + r * c->columns * c->kernels->real_bytes, c->other, c->columns, c->tanh);
}

static void softmax_item(void *context, int thread, int64_t item) {
  (void)thread;
  const elementwise_call *c = context;
  int64_t rows = item_rows(c->columns), end = attn_min(c->count, (item + 1) * rows);
  for (int64_t r = item * rows; r < end; r++)
    c->kernels->log_softmax(c->x + r * c->columns * c->kernels->real_bytes, c->columns);
}

static void slope_item(void *context, int thread, int64_t item) {
  (void)thread;
  const elementwise_call *c = context;
  int64_t first = item * ITEM_NUMBERS, at = first * c->kernels->real_bytes;
  c->kernels->tanh_gradient(c->x + at, c->other + at, attn_min(ITEM_NUMBERS, c->count - first));
}

static void drop_item(void *context, int thread, int64_t item) {
  (void)thread;
  const elementwise_call *c = context;
  int64_t first = item * ITEM_NUMBERS, at = first * c->kernels->real_bytes;
  c->kernels->drop_seeded(c->x + at, c->other + at, first, attn_min(ITEM_NUMBERS, c->count - first), c->threshold,
                          c->seed, c->factor);
}

static attn_status run(elementwise_call *c, attn_type type, int64_t items, attn_body *body, int threads) {
  c->kernels = attn_kernels_for(type, NULL);
  if (!c->kernels) return ATTN_ERROR_ISA;
  attn_parallel(threads ? threads : attn_max_threads(), items, body, c);
  return ATTN_OK;
}

static int64_t items_of(int64_t count) { return (count + ITEM_NUMBERS - 1) / ITEM_NUMBERS; }

attn_status attn_bias_rows(attn_type type, int64_t rows, int64_t columns, void *x, const void *bias, bool tanh,
                           int threads) {
  attn_status status = attn_check_rows(type, rows, columns, x, threads);
  if (status != ATTN_OK || rows == 0 || columns == 0) return status;
  elementwise_call c = {.count = rows, .columns = columns, .x = x, .other = bias, .tanh = tanh};
  int64_t each = item_rows(columns);
  return run(&c, type, (rows + each - 1) / each, bias_item, threads);
}

attn_status attn_log_softmax(attn_type type, int64_t rows, int64_t columns, void *x, int threads) {
  attn_status status = attn_check_rows(type, rows, columns, x, threads);
  if (status != ATTN_OK || rows == 0 || columns == 0) return status;
  elementwise_call c = {.count = rows, .columns = columns, .x = x};
  int64_t each = item_rows(columns);
  return run(&c, type, (rows + each - 1) / each, softmax_item, threads);
}

attn_status attn_tanh_gradient(attn_type type, int64_t count, void *x, const void *y, int threads) {
  attn_status status = attn_check_numbers(type, count, x, "x", threads);
  if (status == ATTN_OK) status = attn_check_numbers(type, count, y, "y", threads);
  if (status != ATTN_OK) return status;
  elementwise_call c = {.count = count, .x = x, .other = y};
  return run(&c, type, items_of(count), slope_item, threads);
}

attn_status attn_drop(attn_type type, int64_t count, const void *x, void *y, double probability, uint64_t seed,
                      int threads) {
  attn_status status = attn_check_numbers(type, count, x, "x", threads);
  if (status == ATTN_OK) status = attn_check_numbers(type, count, y, "y", threads);
  if (status != ATTN_OK) return status;
  if (!(probability >= 0 && probability < 1))
    return attn_fail(ATTN_ERROR_DROPOUT, "probability is %g; it must be in [0, 1)", probability);
  /* A number is below p 2^53 when it is below the next integer. */
  elementwise_call c = {.count = count,
                        .x = y,
                        .other = x,
                        .threshold = (uint64_t)ceil(probability * 0x1p53),
                        .seed = seed,
                        .factor = 1 / (1 - probability)};
  return run(&c, type, items_of(count), drop_item, threads);
}

typedef struct copy_call {
  int64_t rows, bytes, src_stride, dst_stride, item_rows; /* of a row and from row to row, in bytes */
  const char *src;
  char *dst;
  const int64_t *from, *to;
} copy_call;

static void copy_item(void *context, int thread, int64_t item) {
  (void)thread;
  const copy_call *c = context;
  int64_t end = attn_min(c->rows, (item + 1) * c->item_rows);
  for (int64_t r = item * c->item_rows; r < end; r++) {
    int64_t from = c->from ? c->from[r] : r, to = c->to ? c->to[r] : r;
    if (from < 0)
      memset(c->dst + to * c->dst_stride, 0, (size_t)c->bytes);
    else
      memcpy(c->dst + to * c->dst_stride, c->src + from * c->src_stride, (size_t)c->bytes);
  }
}

attn_status attn_copy_rows(attn_type type, int64_t rows, int64_t columns, const void *src, int64_t src_stride,
                           const int64_t *from, void *dst, int64_t dst_stride, const int64_t *to, int threads) {
  attn_status status = attn_check_copy(type, rows, columns, src, src_stride, dst, dst_stride, threads);
  if (status != ATTN_OK || rows == 0 || columns == 0) return status;
  int64_t bytes = type == ATTN_F64 ? 8 : 4, each = item_rows(columns);
  copy_call c = {.rows = rows,
                 .bytes = columns * bytes,
                 .src_stride = src_stride * bytes,
                 .dst_stride = dst_stride * bytes,
                 .item_rows = each,
                 .src = src,
                 .dst = dst,
                 .from = from,
                 .to = to};
  attn_parallel(threads ? threads : attn_max_threads(), (rows + each - 1) / each, copy_item, &c);
  return ATTN_OK;
}
