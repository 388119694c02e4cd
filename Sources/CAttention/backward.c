#include "backward.h"

#include <math.h>
#include <string.h>

#include "backward_sums.h"
#include "backward_tile.h"
#include "parallel.h"

/* delta_i = <do_i, o_i> and the log-sum-exp of every row. */
static void prepare_item(void *context, int thread, int64_t index) {
  const attn_backward_call *call = context;
  const attn_problem *p = call->problem;
  const attn_plan *plan = &call->plan->base;
  int64_t bytes = attn_real_bytes(p);
  attn_item item = attn_item_at(p, plan, index);
  attn_backward_tiles t = attn_backward_tiles_of(call, thread);
  for (int64_t r = 0; r < item.rows; r++) {
    int64_t head = attn_item_head(&item, r), i = attn_item_position(&item, r), at = attn_backward_row(call, &item, r);
    attn_load_view(p, plan, &item, call->output, r, 1, t.line, plan->output_stride, p->value_dim, 1);
    attn_load_view(p, plan, &item, call->output_gradient, r, 1, t.output_gradients, plan->output_stride, p->value_dim,
                   1);
    double lse = attn_get_real(attn_input_row(p, call->lse, bytes, &item.sequence, head, i), bytes, 0);
    bool empty = lse == -INFINITY;
    attn_set_real(call->delta, bytes, at, empty ? 0 : plan->kernels->dot(t.line, t.output_gradients, p->value_dim));
    attn_set_real(call->lse2, bytes, at, empty ? INFINITY : lse * ATTN_LOG2E);
  }
}

/* A row of dq in scratch. */
static int64_t dq_row_bytes(const attn_backward_call *call) {
  return call->plan->base.query_stride * attn_real_bytes(call->problem);
}

static void store_dq(const attn_backward_call *call, const attn_item *item, const attn_backward_tiles *t) {
  int64_t row_bytes = dq_row_bytes(call);
  for (int64_t r = 0; call->gradients->query.data && r < item->rows; r++)
    attn_store_dq_row(call, item, r, t->dq + r * row_bytes);
}

/* What a chunk of keys adds to dq, [rows][query_stride]; null rows = not wanted. */
typedef struct chunk_share {
  char *rows;
  attn_share_range range;
} chunk_share;

/* Rows [row, row + count) of the share, to be added to: 0 if nothing was. Blocks of rows that see none of the chunk's
 * keys, with a causal mask about half, are never touched. Bounds never go back from a row to the next, so no tile of
 * the chunk begins with a row before those of an earlier one. */
static char *rows_of_share(const attn_backward_call *call, chunk_share *share, int64_t row, int64_t count) {
  if (!share->rows) return NULL;
  int64_t row_bytes = dq_row_bytes(call), end = row + count;
  attn_share_range *r = &share->range;
  if (r->end == 0) *r = (attn_share_range){row, row};
  if (end > r->end) {
    memset(share->rows + r->end * row_bytes, 0, (size_t)((end - r->end) * row_bytes));
    r->end = end;
  }
  return share->rows + row * row_bytes;
}

/* All rows of a stream. */
static attn_item stream_of(const attn_backward_call *call, int64_t stream) {
  const attn_problem *p = call->problem;
  return attn_item_of(p, &call->plan->base, stream / p->kv_heads, stream % p->kv_heads, 0, p->query_length);
}

/* One tile of keys against all rows of the stream: dk and dv, and what it adds to its chunk's share of dq. */
static void key_tile(const attn_backward_call *call, const attn_item *item, attn_backward_tiles *t, int64_t first_key,
                     chunk_share *share) {
  const attn_problem *p = call->problem;
  const attn_plan *plan = &call->plan->base;
  int64_t bytes = attn_real_bytes(p);
  int64_t all = attn_min(plan->block_keys, item->sequence.all_keys - first_key);
  /* Without queries keys have gradients of 0 and may have no memory. */
  int64_t count = item->rows == 0 ? 0 : attn_max(0, attn_min(plan->block_keys, item->sequence.keys - first_key));
  memset(t->dk, 0, (size_t)(plan->block_keys * plan->query_stride * bytes));
  memset(t->dv, 0, (size_t)(plan->block_keys * plan->output_stride * bytes));
  if (count > 0) attn_backward_load_keys(call, item, t, first_key, count);
  for (int64_t row = 0; count > 0 && row < item->rows; row += plan->block_rows) {
    int64_t rows = attn_min(plan->block_rows, item->rows - row);
    attn_columns columns;
    if (!attn_block_gradients(call, item, t, row, rows, first_key, count, &columns, NULL)) continue;
    attn_add_dv(call, t, rows, &columns);
    char *dq = rows_of_share(call, share, row, rows);
    if (p->additive) {
      attn_add_additive(call, item, t, dq ? dq : t->dq, t->dk, dq != NULL, row, rows, &columns);
    } else {
      attn_add_dk(call, t, rows, &columns);
      if (dq) attn_add_dq(call, t, dq, rows, &columns);
    }
  }
  attn_store_dk_dv(call, item, t, first_key, all);
}

static int64_t chunk_keys(const attn_backward_call *call) {
  return call->plan->chunk_blocks * call->plan->base.block_keys;
}

/* dq = 0, and the share of the first chunk: dq itself where there is but one. The gradient of additive weights comes
 * with dq. */
static chunk_share start_dq(const attn_backward_call *call, const attn_item *item, const attn_backward_tiles *t) {
  memset(t->dq, 0, (size_t)(item->rows * dq_row_bytes(call)));
  bool wanted = call->gradients->query.data || call->problem->additive;
  return (chunk_share){wanted ? t->dq_share : NULL, {0, t->dq_share == t->dq ? item->rows : 0}};
}

/* dq += share: a chunk of keys ends, and the next one's share begins. */
static void end_chunk(const attn_backward_call *call, const attn_backward_tiles *t, chunk_share *share) {
  attn_share_range *r = &share->range;
  int64_t at = r->first * dq_row_bytes(call), rows = r->end - r->first;
  if (!share->rows || share->rows == t->dq) return;
  call->plan->base.kernels->add_row(t->dq + at, 1, share->rows + at, rows * call->plan->base.query_stride);
  *r = (attn_share_range){0, 0};
}

static void whole_stream(const attn_backward_call *call, int thread, int64_t stream) {
  const attn_plan *plan = &call->plan->base;
  attn_backward_tiles t = attn_backward_tiles_of(call, thread);
  attn_item item = stream_of(call, stream);
  chunk_share share = start_dq(call, &item, &t);
  for (int64_t chunk = 0; chunk < item.sequence.all_keys; chunk += chunk_keys(call)) {
    int64_t end = attn_min(chunk + chunk_keys(call), item.sequence.all_keys);
    for (int64_t key = chunk; key < end; key += plan->block_keys) key_tile(call, &item, &t, key, &share);
    end_chunk(call, &t, &share);
  }
  store_dq(call, &item, &t);
}

/* Where the share of a chunk of a stream that is cut stands among them. */
static int64_t share_index(const attn_backward_call *call, int64_t stream, int64_t chunk) {
  return (stream - call->plan->whole_streams) * call->plan->chunks + chunk;
}

static char *share_at(const attn_backward_call *call, int64_t index) {
  return call->shares + index * attn_stream_rows(call->problem, &call->plan->base) * dq_row_bytes(call);
}

static void chunk_of_stream(const attn_backward_call *call, int thread, int64_t stream, int64_t chunk) {
  attn_backward_tiles t = attn_backward_tiles_of(call, thread);
  attn_item item = stream_of(call, stream);
  int64_t index = share_index(call, stream, chunk);
  chunk_share share = {call->gradients->query.data ? share_at(call, index) : NULL, {0, 0}};
  int64_t end = attn_min((chunk + 1) * chunk_keys(call), item.sequence.all_keys);
  for (int64_t key = chunk * chunk_keys(call); key < end; key += call->plan->base.block_keys)
    key_tile(call, &item, &t, key, &share);
  call->ranges[index] = share.range;
}

/* Whole streams, then chunks, early ones first: with a causal mask most queries see them. */
static void stream_or_chunk_item(void *context, int thread, int64_t index) {
  const attn_backward_call *call = context;
  int64_t whole = call->plan->whole_streams, cut = call->plan->cut_streams, at = index - whole;
  if (at < 0)
    whole_stream(call, thread, index);
  else
    chunk_of_stream(call, thread, whole + at % cut, at / cut);
}

/* The chunks' shares of dq of some rows of a stream that is cut, added in order. */
static void shares_item(void *context, int thread, int64_t index) {
  const attn_backward_call *call = context;
  const attn_problem *p = call->problem;
  const attn_plan *plan = &call->plan->base;
  int64_t row_bytes = dq_row_bytes(call), stream = call->plan->whole_streams + index / plan->position_blocks;
  attn_item item = attn_item_of(p, plan, stream / p->kv_heads, stream % p->kv_heads,
                                index % plan->position_blocks * plan->item_positions, plan->item_positions);
  attn_backward_tiles t = attn_backward_tiles_of(call, thread);
  for (int64_t r = 0; r < item.rows; r++) {
    int64_t row = item.first * plan->group + r;
    memset(t.dq, 0, (size_t)row_bytes);
    for (int64_t chunk = 0; chunk < call->plan->chunks; chunk++) {
      int64_t at = share_index(call, stream, chunk);
      if (row >= call->ranges[at].first && row < call->ranges[at].end)
        plan->kernels->add_row(t.dq, 1, share_at(call, at) + row * row_bytes, plan->query_stride);
    }
    attn_store_dq_row(call, &item, r, t.dq);
  }
}

static void keys_item(void *context, int thread, int64_t index) {
  const attn_backward_call *call = context;
  const attn_problem *p = call->problem;
  int64_t streams = p->batch * p->kv_heads, stream = index % streams, block = index / streams;
  attn_item item = stream_of(call, stream);
  int64_t first_key = block * call->plan->base.block_keys;
  if (first_key >= item.sequence.all_keys) return;
  attn_backward_tiles t = attn_backward_tiles_of(call, thread);
  chunk_share none = {NULL, {0, 0}};
  key_tile(call, &item, &t, first_key, &none);
}

static void queries_item(void *context, int thread, int64_t index) {
  const attn_backward_call *call = context;
  const attn_problem *p = call->problem;
  const attn_plan *plan = &call->plan->base;
  attn_item item = attn_item_at(p, plan, index);
  if (item.rows == 0) return;
  attn_backward_tiles t = attn_backward_tiles_of(call, thread);
  chunk_share share = start_dq(call, &item, &t);
  int64_t low = attn_visible_range(p, &item.sequence, item.first).low;
  int64_t high = attn_visible_range(p, &item.sequence, item.first + item.positions - 1).high;
  for (int64_t key = low / plan->block_keys * plan->block_keys; key < high; key += plan->block_keys) {
    int64_t count = attn_min(plan->block_keys, high - key);
    attn_backward_load_keys(call, &item, &t, key, count);
    for (int64_t row = 0; row < item.rows; row += plan->block_rows) {
      int64_t rows = attn_min(plan->block_rows, item.rows - row);
      attn_columns columns;
      if (!attn_block_gradients(call, &item, &t, row, rows, key, count, &columns, NULL)) continue;
      char *dq = rows_of_share(call, &share, row, rows);
      if (p->additive)
        attn_add_additive(call, &item, &t, dq, t.dk, true, row, rows, &columns);
      else
        attn_add_dq(call, &t, dq, rows, &columns);
    }
    if ((key + plan->block_keys) % chunk_keys(call) == 0) end_chunk(call, &t, &share);
  }
  end_chunk(call, &t, &share);
  store_dq(call, &item, &t);
}

void attn_backward_run(const attn_problem *p, const attn_backward_plan *plan, const attn_input *output,
                       const attn_input *lse, const attn_input *output_gradient, const attn_gradients *gradients,
                       char *scratch) {
  int64_t streams = p->batch * p->kv_heads, rows = streams * attn_stream_rows(p, &plan->base),
          bytes = attn_real_bytes(p);
  attn_backward_call call = {.problem = p,
                             .plan = plan,
                             .output = output,
                             .lse = lse,
                             .output_gradient = output_gradient,
                             .gradients = gradients,
                             .delta = scratch,
                             .lse2 = scratch + rows * bytes,
                             .row_dw = scratch + 2 * rows * bytes,
                             .ranges = (attn_share_range *)(void *)(scratch + plan->row_bytes),
                             .shares = scratch + plan->row_bytes + plan->range_bytes,
                             .scratch = scratch + plan->shared_bytes};
  if (p->additive) memset(call.row_dw, 0, (size_t)(rows * plan->base.query_stride * bytes));
  attn_parallel(plan->threads, plan->base.items, prepare_item, &call);
  if (plan->split != ATTN_BY_KEYS_THEN_QUERIES) {
    int64_t cut = plan->cut_streams;
    attn_parallel(plan->threads, plan->whole_streams + cut * plan->chunks, stream_or_chunk_item, &call);
    if (gradients->query.data) attn_parallel(plan->threads, cut * plan->base.position_blocks, shares_item, &call);
  } else {
    if (gradients->key.data || gradients->value.data)
      attn_parallel(plan->threads, streams * plan->key_blocks, keys_item, &call);
    if (gradients->query.data || gradients->additive)
      attn_parallel(plan->threads, plan->base.items, queries_item, &call);
  }
  attn_backward_sums_run(&call);
}
