#include "weights.h"

#include <math.h>
#include <string.h>

#include "parallel.h"
#include "tile.h"

typedef struct weights_call {
  const attn_problem *problem;
  const attn_plan *plan;
  const void *lse;
  char *scores, *weights, *scratch;
} weights_call;

/* Rows without a key of their own in the tile's slices keep these. */
static void clear_rows(const weights_call *call, const attn_item *item, int64_t positions) {
  const attn_problem *p = call->problem;
  int64_t bytes = attn_real_bytes(p), keys = p->key_length;
  for (int64_t r = 0; r < positions * item->heads; r++) {
    int64_t i = attn_item_position(item, r), head = attn_item_head(item, r);
    int64_t at = ((item->sequence.batch * p->query_heads + head) * p->query_length + i) * keys;
    if (call->weights) memset(call->weights + at * bytes, 0, (size_t)(keys * bytes));
    if (!call->scores) continue;
    for (int64_t j = 0; j < keys; j++) attn_set_real(call->scores, bytes, at + j, -INFINITY);
  }
}

/* The weights of a row whose log-sum-exp is NaN: NaN where it may attend; what is masked stays 0. */
static void fill_nan_weights(const weights_call *call, const attn_item *item, int64_t row, int64_t first_key,
                             const attn_columns *columns, char *weights) {
  const attn_problem *p = call->problem;
  int64_t i = attn_item_position(item, row), head = attn_item_head(item, row);
  for (int64_t j = first_key + columns->low; j < first_key + columns->high; j++) {
    if (attn_visible(p, &item->sequence, head, i, j)) attn_set_real(weights, attn_real_bytes(p), j, NAN);
  }
}

static void write_block(const weights_call *call, const attn_item *item, attn_tiles *tiles, int64_t row,
                        int64_t first_key, int64_t count) {
  const attn_problem *p = call->problem;
  const attn_plan *plan = call->plan;
  const attn_kernels *k = plan->kernels;
  int64_t bytes = attn_real_bytes(p), rows = attn_min(plan->block_rows, item->rows - row);
  attn_columns columns = attn_columns_of(p, plan, item, row, rows, first_key, count);
  if (columns.empty) return;
  attn_final_scores(p, plan, item, tiles, row, row, rows, first_key, &columns);

  attn_type real = bytes == 8 ? ATTN_F64 : ATTN_F32;
  int64_t start = columns.first_slice * k->panel_width, n = columns.last_slice * k->panel_width - start;
  for (int64_t r = 0; r < rows; r++) {
    int64_t i = attn_item_position(item, row + r), head = attn_item_head(item, row + r);
    int64_t line = (item->sequence.batch * p->query_heads + head) * p->query_length + i;
    int64_t at = (line * p->key_length + first_key + start) * bytes, valid = columns.high - start;
    char *s = tiles->scores + (r * plan->score_stride + start) * bytes;
    if (call->scores) k->store_row(call->scores + at, s, NULL, real, valid, ATTN_LN2);
    if (!call->weights) continue;
    double lse = attn_get_real(call->lse, bytes, line);
    if (lse == -INFINITY) continue; /* the row attends to nothing: its weights stay 0 */
    if (isnan(lse)) {
      fill_nan_weights(call, item, row + r, first_key, &columns, call->weights + line * p->key_length * bytes);
      continue;
    }
    k->exp2_row(s, n, lse * ATTN_LOG2E);
    k->store_row(call->weights + at, s, NULL, real, valid, 1);
  }
}

static void weights_item(void *context, int thread, int64_t index) {
  const weights_call *call = context;
  const attn_problem *p = call->problem;
  const attn_plan *plan = call->plan;
  attn_item item = attn_item_at(p, plan, index);
  /* The rows of the shape, not of the sequence: what lies behind a packed sequence's end is cleared too. */
  clear_rows(call, &item, attn_min(plan->item_positions, p->query_length - item.first));
  if (item.rows == 0) return;
  attn_tiles tiles = attn_tiles_at(p, plan, call->scratch + thread * plan->thread_bytes);
  attn_load_queries(p, plan, &item, &tiles, 0, item.rows);
  int64_t low = attn_visible_range(p, &item.sequence, item.first).low;
  int64_t high = attn_visible_range(p, &item.sequence, item.first + item.positions - 1).high;
  for (int64_t key = low / plan->block_keys * plan->block_keys; key < high; key += plan->block_keys) {
    int64_t count = attn_min(plan->block_keys, high - key);
    attn_load_keys(p, plan, &item, &tiles, key, count);
    for (int64_t row = 0; row < item.rows; row += plan->block_rows) write_block(call, &item, &tiles, row, key, count);
  }
}

void attn_weights_run(const attn_problem *problem, const attn_plan *plan, const void *lse, void *scores, void *weights,
                      char *scratch) {
  weights_call call = {problem, plan, lse, scores, weights, scratch};
  attn_parallel(plan->threads, plan->items, weights_item, &call);
}
