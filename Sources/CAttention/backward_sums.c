#include "backward_sums.h"

#include <math.h>
#include <string.h>

#include "parallel.h"

/* The bias gradient has an owner for each slice that is not summed over: a batch, head and block of positions, or all
 * of them where its stride is 0. The owner goes through what it sums over in order. */
typedef struct bias_slices {
  int64_t batches, heads, blocks; /* numbers of slices */
} bias_slices;

static bias_slices bias_slices_of(const attn_backward_call *call) {
  const attn_problem *p = call->problem;
  const attn_gradients *g = call->gradients;
  return (bias_slices){
      g->bias.stride_batch ? p->batch : 1, g->bias.stride_head ? p->query_heads : 1,
      g->bias.stride_row ? (p->query_length + call->plan->base.block_rows - 1) / call->plan->base.block_rows : 1};
}

static char *bias_at(const attn_backward_call *call, int64_t b, int64_t h, int64_t i, int64_t j) {
  const attn_gradients *g = call->gradients;
  return (char *)g->bias.data +
         (b * g->bias.stride_batch + h * g->bias.stride_head + i * g->bias.stride_row + j * g->bias.stride_key) *
             attn_real_bytes(call->problem);
}

static void add_to_bias(const attn_backward_call *call, const attn_item *item, const char *gradients, int64_t row,
                        int64_t first_key, int64_t n) {
  call->plan->base.kernels->add_row(
      bias_at(call, item->sequence.batch, attn_item_head(item, row), attn_item_position(item, row), first_key),
      call->gradients->bias.stride_key, gradients, n);
}

static void bias_item(void *context, int thread, int64_t index) {
  const attn_backward_call *call = context;
  const attn_problem *p = call->problem;
  const attn_plan *plan = &call->plan->base;
  bias_slices slices = bias_slices_of(call);
  int64_t block = index % slices.blocks, head = index / slices.blocks % slices.heads,
          batch = index / slices.blocks / slices.heads;
  int64_t first = block * plan->block_rows;
  int64_t last = slices.blocks > 1 ? attn_min(p->query_length, first + plan->block_rows) : p->query_length;
  attn_backward_tiles t = attn_backward_tiles_of(call, thread);
  for (int64_t i = first; i < (call->gradients->bias.stride_row ? last : first + 1); i++)
    for (int64_t j = 0; j < (call->gradients->bias.stride_key ? p->key_length : 1); j++)
      attn_set_real(bias_at(call, batch, head, i, j), attn_real_bytes(p), 0, 0);
  for (int64_t b = batch; b < (slices.batches > 1 ? batch + 1 : p->batch); b++)
    for (int64_t h = head; h < (slices.heads > 1 ? head + 1 : p->query_heads); h++) {
      attn_item item = attn_item_of(p, plan, b, h / plan->group, first, last - first);
      item.first_head = h;
      item.heads = 1;
      item.rows = item.positions;
      for (int64_t key = 0; item.rows > 0 && key < item.sequence.keys; key += plan->block_keys) {
        int64_t count = attn_min(plan->block_keys, item.sequence.keys - key);
        attn_backward_load_keys(call, &item, &t, key, count);
        for (int64_t row = 0; row < item.rows; row += plan->block_rows) {
          attn_columns columns;
          attn_block_gradients(call, &item, &t, row, attn_min(plan->block_rows, item.rows - row), key, count, &columns,
                               add_to_bias);
        }
      }
    }
}

static void sink_item(void *context, int thread, int64_t head) {
  (void)thread;
  const attn_backward_call *call = context;
  const attn_problem *p = call->problem;
  int64_t bytes = attn_real_bytes(p), group = call->plan->base.group;
  double sink = attn_head_number(p, p->sinks, head) * ATTN_LOG2E, sum = 0;
  for (int64_t b = 0; b < p->batch; b++) {
    attn_item item = attn_item_of(p, &call->plan->base, b, head / group, 0, p->query_length);
    for (int64_t i = 0; i < item.positions; i++) {
      int64_t at = attn_backward_row(call, &item, i * group + head % group);
      sum -= exp2(sink - attn_get_real(call->lse2, bytes, at)) * attn_get_real(call->delta, bytes, at);
    }
  }
  attn_set_real(call->gradients->sinks, bytes, head, sum);
}

/* dw of a head, or of all heads where they share it: the rows' shares in order. */
static void additive_item(void *context, int thread, int64_t index) {
  const attn_backward_call *call = context;
  const attn_problem *p = call->problem;
  const attn_plan *plan = &call->plan->base;
  int64_t bytes = attn_real_bytes(p), heads = p->additive_stride_head ? 1 : p->query_heads;
  attn_backward_tiles t = attn_backward_tiles_of(call, thread);
  memset(t.dw, 0, (size_t)(p->head_dim * bytes));
  for (int64_t b = 0; b < p->batch; b++)
    for (int64_t h = index; h < index + heads; h++) {
      attn_item item = attn_item_of(p, plan, b, h / plan->group, 0, p->query_length);
      for (int64_t i = 0; i < item.positions; i++)
        plan->kernels->add_row(t.dw, 1,
                               call->row_dw + attn_backward_row(call, &item, i * plan->group + h % plan->group) *
                                                  plan->query_stride * bytes,
                               p->head_dim);
    }
  plan->kernels->store_row((char *)call->gradients->additive + index * p->additive_stride_head * bytes, t.dw, NULL,
                           bytes == 8 ? ATTN_F64 : ATTN_F32, p->head_dim, p->scale);
}

void attn_backward_sums_run(const attn_backward_call *call) {
  const attn_problem *p = call->problem;
  if (call->gradients->bias.data) {
    bias_slices slices = bias_slices_of(call);
    attn_parallel(call->plan->threads, slices.batches * slices.heads * slices.blocks, bias_item, (void *)call);
  }
  if (call->gradients->additive)
    attn_parallel(call->plan->threads, p->additive_stride_head ? p->query_heads : 1, additive_item, (void *)call);
  if (call->gradients->sinks && p->sinks) attn_parallel(call->plan->threads, p->query_heads, sink_item, (void *)call);
}
