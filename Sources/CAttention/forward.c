#include "forward.h"

#include <math.h>
#include <string.h>

#include "dropout.h"
#include "exact.h"
#include "parallel.h"
#include "tile.h"

typedef struct forward_call {
  const attn_problem *problem;
  const attn_plan *plan;
  const attn_output *output, *lse;
  char *scratch;
} forward_call;

static void start_rows(const attn_problem *p, const attn_plan *plan, const attn_item *item, attn_tiles *tiles) {
  int64_t bytes = attn_real_bytes(p);
  memset(tiles->output, 0, (size_t)(item->rows * plan->output_stride * bytes));
  memset(tiles->sum, 0, (size_t)(item->rows * plan->kernels->lanes * bytes));
  for (int64_t r = 0; r < item->rows; r++) attn_set_real(tiles->maximum, bytes, r, -INFINITY);
}

static void drop_weights(const attn_problem *p, const attn_plan *plan, const attn_item *item, attn_tiles *tiles,
                         int64_t row, int64_t rows, int64_t first_key, int64_t start, int64_t n) {
  uint64_t threshold = attn_dropout_threshold(p->dropout_probability);
  int64_t bytes = attn_real_bytes(p);
  for (int64_t r = 0; r < rows; r++) {
    attn_dropout_keep(tiles->keep, p->dropout_seed, threshold, item->sequence.batch, attn_item_head(item, row + r),
                      attn_item_position(item, row + r), first_key + start, n);
    plan->kernels->drop(tiles->scores + (r * plan->score_stride + start) * bytes, tiles->keep, n);
  }
}

/* Rows [row, row + rows) against the columns of the loaded tile of keys that they may see. */
static void forward_rows(const attn_problem *p, const attn_plan *plan, const attn_item *item, attn_tiles *tiles,
                         int64_t row, int64_t rows, int64_t first_key, const attn_columns *columns,
                         bool finite_values) {
  const attn_kernels *k = plan->kernels;
  int64_t bytes = attn_real_bytes(p);
  attn_fetch_ahead(p, item, tiles);
  attn_final_scores(p, plan, item, tiles, row, row, rows, first_key, columns);
  if (!finite_values) attn_add_special_values(p, plan, item, tiles, row, rows, first_key, columns);

  int64_t start = columns->first_slice * k->panel_width, n = columns->last_slice * k->panel_width - start;
  char *output = tiles->output + row * plan->output_stride * bytes;
  (p->additive ? k->softmax_accurate : k->softmax)(tiles->scores + start * bytes, plan->score_stride, rows, n,
                                                   p->mask.data || !columns->full, tiles->maximum + row * bytes,
                                                   tiles->sum + row * k->lanes * bytes, output, plan->output_stride,
                                                   plan->output_width);
  if (p->dropout_probability > 0) drop_weights(p, plan, item, tiles, row, rows, first_key, start, n);
  attn_fetch_ahead(p, item, tiles);
  if (tiles->values_in_place)
    k->accumulate_in_place(output, plan->output_stride, tiles->scores, plan->score_stride, tiles->value_rows, p->type,
                           p->value_dim, rows, start, columns->high);
  else
    k->accumulate(output, plan->output_stride, tiles->scores, plan->score_stride, tiles->value_panels, plan->block_keys,
                  rows, start, columns->high, p->value_dim);
}

/* A block of rows against the loaded tile of keys. Where a diagonal crosses the tile, its rows go in steps as high as
 * the register tile, each with columns of its own: at S = 512, causal, whole blocks would compute 11 % of pairs in
 * vain. */
static void forward_block(const attn_problem *p, const attn_plan *plan, const attn_item *item, attn_tiles *tiles,
                          int64_t row, int64_t first_key, int64_t count, bool finite_values) {
  int64_t rows = attn_min(plan->block_rows, item->rows - row), step = plan->kernels->tile_rows;
  attn_columns columns = attn_columns_of(p, plan, item, row, rows, first_key, count);
  if (columns.empty) return;
  if (columns.full || !attn_columns_differ(p, item, row, rows)) {
    forward_rows(p, plan, item, tiles, row, rows, first_key, &columns, finite_values);
    return;
  }
  for (int64_t r = row; r < row + rows; r += step) {
    int64_t n = attn_min(step, row + rows - r);
    columns = attn_columns_of(p, plan, item, r, n, first_key, count);
    if (!columns.empty) forward_rows(p, plan, item, tiles, r, n, first_key, &columns, finite_values);
  }
}

/* From running maximum and sum to the factor that normalises the row and its log-sum-exp. */
typedef struct row_end {
  double factor, lse;
} row_end;

static row_end end_of_row(const attn_problem *p, const attn_sequence *s, int64_t head, int64_t i, double maximum,
                          double sum) {
  /* No finite score was seen: only the mask can say whether the row attends to anything. */
  if (maximum == -INFINITY && sum == 0 && !attn_row_attends(p, s, head, i)) return (row_end){0, -INFINITY};
  double top = maximum, rescale = 1;
  if (p->sinks) {
    double sink = attn_head_number(p, p->sinks, head) * ATTN_LOG2E;
    if (sink > top || isnan(sink)) top = sink;
    rescale = top == -INFINITY ? 1 : exp2(maximum - top);
    sum = sum * rescale + (sink == -INFINITY && top > sink ? 0 : exp2(sink - top));
  }
  /* Every visible score is -infinity: by the formula exp(-inf - -inf), which is NaN. */
  if (top == -INFINITY) return (row_end){NAN, NAN};
  return (row_end){rescale / sum / (1 - p->dropout_probability), top * ATTN_LN2 + log(sum)};
}

static void finish_rows(const forward_call *call, const attn_item *item, attn_tiles *tiles, bool special) {
  const attn_problem *p = call->problem;
  const attn_plan *plan = call->plan;
  int64_t bytes = attn_real_bytes(p);
  plan->kernels->add_lanes(tiles->sum, item->rows);
  for (int64_t r = 0; r < item->rows; r++) {
    int64_t i = attn_item_position(item, r), head = attn_item_head(item, r);
    row_end end = end_of_row(p, &item->sequence, head, i, attn_get_real(tiles->maximum, bytes, r),
                             attn_get_real(tiles->sum, bytes, r));
    int64_t at = r * plan->output_stride * bytes;
    plan->kernels->store_row(attn_output_row(p, call->output, attn_type_bytes(p->type), &item->sequence, head, i),
                             tiles->output + at, special ? tiles->extra + at : NULL, p->type, p->value_dim, end.factor);
    if (call->lse) attn_set_real(attn_output_row(p, call->lse, bytes, &item->sequence, head, i), bytes, 0, end.lse);
  }
}

static void run_item(const forward_call *call, int thread, int64_t index) {
  const attn_problem *p = call->problem;
  const attn_plan *plan = call->plan;
  attn_item item = attn_item_at(p, plan, index);
  if (item.rows == 0) return;
  attn_tiles tiles = attn_tiles_at(p, plan, call->scratch + thread * plan->thread_bytes);
  tiles.in_place = !p->additive && item.rows <= plan->kernels->in_place_rows;
  attn_load_queries(p, plan, &item, &tiles, 0, item.rows);
  start_rows(p, plan, &item, &tiles);

  int64_t low = attn_visible_range(p, &item.sequence, item.first).low;
  int64_t high = attn_visible_range(p, &item.sequence, item.first + item.positions - 1).high;
  bool special = false;
  for (int64_t key = low / plan->block_keys * plan->block_keys; key < high; key += plan->block_keys) {
    int64_t count = attn_min(plan->block_keys, high - key);
    /* Rows of one block are soon done with a tile: the next one would come in a burst. Packing fetches by itself. */
    if (item.rows > plan->block_rows) attn_start_ahead(plan, &item, &tiles, key + plan->block_keys, high);
    attn_load_keys(p, plan, &item, &tiles, key, count);
    bool finite = attn_load_values(p, plan, &item, &tiles, key, count);
    if (!finite && !special) {
      memset(tiles.extra, 0, (size_t)(item.rows * plan->output_stride * attn_real_bytes(p)));
      special = true;
    }
    for (int64_t row = 0; row < item.rows; row += plan->block_rows)
      forward_block(p, plan, &item, &tiles, row, key, count, finite);
  }
  finish_rows(call, &item, &tiles, special);
}

static void forward_item(void *context, int thread, int64_t index) {
  const forward_call *call = context;
  run_item(call, thread, index);
  if (call->problem->progress) __atomic_fetch_add(call->problem->progress, 1, __ATOMIC_RELAXED);
}

void attn_forward_run(const attn_problem *problem, const attn_plan *plan, const attn_output *output,
                      const attn_output *lse, char *scratch) {
  forward_call call = {problem, plan, output, lse, scratch};
  attn_parallel(plan->threads, plan->items, forward_item, &call);
}
