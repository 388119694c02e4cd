/*
 * Rows pass in blocks. Of a block: the logits by a product, then row by row the losses, and the gradients of the logits
 * in their place, then two products that read them. The weight's gradient grows by each block in turn, so that each of
 * its elements is one chain of multiply-adds in the order of the rows.
 */
#include <math.h>
#include <string.h>

#include "check.h"
#include "dispatch.h"
#include "matmul.h"
#include "parallel.h"
#include "scratch.h"
#include "status.h"
#include "view.h"

/* A block of rows is a multiple of this, and keeps the logits in or near the last-level cache. */
#define BLOCK_ROWS 192
#define BLOCK_BYTES ((int64_t)12 << 20)
#define BIAS_COLUMNS 256
/* Rows of a work item. Each keeps its part of the bias's gradient, summed while its logits are in the caches, and the parts
 * are added in order: the sum does not depend on threads. */
#define ITEM_ROWS 16

typedef struct cross_entropy_call {
  const attn_cross_entropy_problem *problem;
  const attn_kernels *kernels;
  int64_t bytes, stride, first, count; /* of a number; from row to row of logits; the block's rows */
  char *logits;
  char *bias_parts;      /* [items][stride] */
  attn_row_loss *losses; /* [N] */
  bool gradients;
} cross_entropy_call;

static void rows_item(void *context, int thread, int64_t item) {
  (void)thread;
  const cross_entropy_call *c = context;
  const attn_cross_entropy_problem *p = c->problem;
  int64_t end = attn_min(c->count, (item + 1) * ITEM_ROWS), row_bytes = c->stride * c->bytes;
  char *part = c->bias_parts + item * row_bytes;
  if (p->bias_gradient) memset(part, 0, (size_t)row_bytes);
  for (int64_t r = item * ITEM_ROWS; r < end; r++) {
    char *logits = c->logits + r * row_bytes;
    c->losses[c->first + r] = c->kernels->cross_entropy(logits, p->bias, p->classes, p->targets[c->first + r],
                                                        p->smoothing, p->scale, c->gradients);
    if (p->bias_gradient) c->kernels->add_row(part, 1, logits, p->classes);
  }
}

static int64_t row_items(int64_t rows) { return (rows + ITEM_ROWS - 1) / ITEM_ROWS; }

static void bias_item(void *context, int thread, int64_t item) {
  (void)thread;
  const cross_entropy_call *c = context;
  int64_t column = item * BIAS_COLUMNS, columns = attn_min(BIAS_COLUMNS, c->problem->classes - column);
  char *sum = (char *)c->problem->bias_gradient + column * c->bytes;
  for (int64_t part = 0; part < row_items(c->count); part++)
    c->kernels->add_row(sum, 1, c->bias_parts + (part * c->stride + column) * c->bytes, columns);
}

/* Logits of a block; gradients of its rows; its part of the weight's gradient. */
typedef struct block_products {
  attn_product logits, hidden, weight;
} block_products;

static block_products products_of(const cross_entropy_call *c, int threads) {
  const attn_cross_entropy_problem *p = c->problem;
  int64_t offset = c->first * p->hidden * c->bytes;
  attn_product logits = {.kernels = c->kernels,
                         .type = p->type,
                         .transpose_b = true,
                         .threads = threads,
                         .m = c->count,
                         .n = p->classes,
                         .k = p->hidden,
                         .lda = p->hidden,
                         .ldb = p->hidden,
                         .ldc = c->stride,
                         .a = (const char *)p->hidden_rows + offset,
                         .b = p->weight,
                         .c = c->logits};
  attn_product hidden = logits, weight = logits;
  hidden.transpose_b = weight.transpose_b = false;
  hidden.n = p->hidden, hidden.k = p->classes;
  hidden.a = c->logits, hidden.lda = c->stride;
  hidden.c = p->hidden_gradient ? (char *)p->hidden_gradient + offset : NULL, hidden.ldc = p->hidden;
  weight.transpose_a = true, weight.accumulate = c->first > 0;
  weight.m = p->classes, weight.n = p->hidden, weight.k = c->count;
  weight.a = c->logits, weight.lda = c->stride, weight.b = logits.a;
  weight.c = p->weight_gradient, weight.ldc = p->hidden;
  return (block_products){logits, hidden, weight};
}

/* Scratch of the products of a block of c->count rows. */
static int64_t products_bytes(const cross_entropy_call *c, int threads) {
  block_products products = products_of(c, threads);
  int64_t bytes = attn_max(attn_product_bytes(&products.logits), attn_product_bytes(&products.hidden));
  return attn_max(bytes, attn_product_bytes(&products.weight));
}

static void block(cross_entropy_call *c, int threads, char *scratch) {
  const attn_cross_entropy_problem *p = c->problem;
  block_products products = products_of(c, threads);
  attn_product_run(&products.logits, scratch);
  attn_parallel(threads, row_items(c->count), rows_item, c);
  if (p->hidden_gradient) attn_product_run(&products.hidden, scratch);
  if (p->weight_gradient) attn_product_run(&products.weight, scratch);
  if (p->bias_gradient) attn_parallel(threads, (p->classes + BIAS_COLUMNS - 1) / BIAS_COLUMNS, bias_item, c);
}

attn_status attn_cross_entropy(const attn_cross_entropy_problem *p, attn_cross_entropy_sums *sums) {
  attn_status status = attn_check_cross_entropy(p, sums);
  if (status != ATTN_OK) return status;
  *sums = (attn_cross_entropy_sums){0};
  cross_entropy_call c = {.problem = p, .kernels = attn_kernels_for(p->type, NULL)};
  if (!c.kernels) return ATTN_ERROR_ISA;
  c.bytes = c.kernels->real_bytes;
  c.gradients = p->hidden_gradient || p->weight_gradient || p->bias_gradient;
  if (p->bias_gradient) memset(p->bias_gradient, 0, (size_t)(p->classes * c.bytes));
  if (p->rows == 0) {
    if (p->weight_gradient) memset(p->weight_gradient, 0, (size_t)(p->classes * p->hidden * c.bytes));
    return ATTN_OK;
  }

  c.stride = attn_round_up(p->classes, c.kernels->panel_width);
  int64_t blocks = attn_max(1, BLOCK_BYTES / (BLOCK_ROWS * c.stride * c.bytes));
  int64_t rows = attn_min(p->rows, blocks * BLOCK_ROWS);
  int threads = p->threads ? p->threads : attn_max_threads();
  /* The last block may have fewer rows, and then its products more scratch: they are divided otherwise. */
  int64_t last = p->rows % rows ? p->rows % rows : rows, product_bytes = 0;
  for (int i = 0; i < 2; i++) {
    c.count = i ? last : rows;
    product_bytes = attn_max(product_bytes, products_bytes(&c, threads));
  }
  const int64_t sizes[] = {rows * c.stride * c.bytes, p->rows * (int64_t)sizeof(attn_row_loss), product_bytes,
                           p->bias_gradient ? row_items(rows) * c.stride * c.bytes : 0};
  int64_t at[4], bytes = 0;
  for (int i = 0; i < 4; i++) at[i] = bytes, bytes += attn_round_up(sizes[i], ATTN_SCRATCH_ALIGNMENT);
  attn_arena *arena = attn_arena_take((size_t)bytes);
  if (!arena)
    return attn_fail(ATTN_ERROR_OUT_OF_MEMORY, "%lld bytes of scratch memory are not to be had", (long long)bytes);
  char *memory = arena->data;
  c.logits = memory + at[0], c.bias_parts = memory + at[3], c.losses = (attn_row_loss *)(void *)(memory + at[1]);
  for (c.first = 0; c.first < p->rows; c.first += rows) {
    c.count = attn_min(rows, p->rows - c.first);
    block(&c, threads, memory + at[2]);
  }
  for (int64_t r = 0; r < p->rows; r++) {
    sums->negative_log_likelihood += c.losses[r].target;
    sums->loss += p->smoothing == 0 ? c.losses[r].target
                                    : (1 - p->smoothing) * c.losses[r].target + p->smoothing * c.losses[r].mean;
  }
  attn_arena_give(arena);
  return ATTN_OK;
}
