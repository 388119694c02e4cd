#include "backward_tile.h"

#include <math.h>
#include <string.h>

#include "dropout.h"
#include "scratch.h"

/* Lays the scratch of a thread out from `memory`; with null memory returns its size in `end` alone. */
static attn_backward_tiles lay_out(const attn_problem *p, const attn_backward_plan *whole, int64_t dq_rows,
                                   char *memory, int64_t *end) {
  const attn_plan *plan = &whole->base;
  int64_t bytes = attn_real_bytes(p), at = plan->thread_bytes;
  const int64_t score_bytes = plan->block_rows * plan->score_stride * bytes;
  const int64_t key_panels = plan->block_keys * plan->query_width * bytes;
  const int64_t value_panels = plan->block_keys * plan->output_width * bytes;
  const int64_t sizes[] = {plan->block_rows * plan->output_stride * bytes,
                           score_bytes,
                           score_bytes,
                           key_panels,
                           value_panels,
                           dq_rows * plan->query_stride * bytes,
                           whole->chunks > 1 ? dq_rows * plan->query_stride * bytes : 0,
                           plan->block_keys * plan->query_stride * bytes,
                           plan->block_keys * plan->output_stride * bytes,
                           plan->output_stride * bytes,
                           p->additive ? plan->block_rows * plan->query_stride * bytes : 0};
  char *parts[11];
  for (int i = 0; i < 11; i++) {
    parts[i] = memory ? memory + at : NULL;
    at += attn_round_up(sizes[i], ATTN_SCRATCH_ALIGNMENT);
  }
  if (end) *end = at;
  attn_backward_tiles t = {.output_gradients = parts[0],
                           .score_gradients = parts[1],
                           .key_rows = parts[3],
                           .value_columns = parts[4],
                           .dq = parts[5],
                           .dq_share = whole->chunks > 1 ? parts[6] : parts[5],
                           .dk = parts[7],
                           .dv = parts[8],
                           .line = parts[9],
                           .dw = parts[10]};
  if (memory) {
    t.tiles = attn_tiles_at(p, plan, memory);
    t.tiles.cap_slopes = p->softcap > 0 ? parts[2] : NULL;
  }
  return t;
}

int64_t attn_stream_rows(const attn_problem *p, const attn_plan *plan) { return p->query_length * plan->group; }

/* Rows of dq that a thread keeps. */
static int64_t dq_rows(const attn_problem *p, const attn_backward_plan *plan) {
  if (plan->whole_streams > 0) return attn_stream_rows(p, &plan->base);
  /* Whole blocks of rows, also where a work item has fewer; by chunk, a line alone. */
  return plan->split == ATTN_BY_CHUNK ? 1 : attn_max(plan->base.item_rows, plan->base.block_rows);
}

int64_t attn_backward_thread_bytes(const attn_problem *p, const attn_backward_plan *plan) {
  int64_t end;
  lay_out(p, plan, dq_rows(p, plan), NULL, &end);
  return end;
}

attn_backward_tiles attn_backward_tiles_of(const attn_backward_call *call, int thread) {
  return lay_out(call->problem, call->plan, dq_rows(call->problem, call->plan),
                 call->scratch + thread * call->plan->thread_bytes, NULL);
}

int64_t attn_backward_row(const attn_backward_call *call, const attn_item *item, int64_t row) {
  const attn_problem *p = call->problem;
  int64_t group = call->plan->base.group, stream = item->sequence.batch * p->kv_heads + item->kv_head;
  int64_t first = stream * attn_stream_rows(p, &call->plan->base);
  /* Rows of a whole group follow each other, and need no division. */
  if (item->heads == group) return first + item->first * group + row;
  return first + attn_item_position(item, row) * group + attn_item_head(item, row) - item->kv_head * group;
}

void attn_backward_load_keys(const attn_backward_call *call, const attn_item *item, attn_backward_tiles *t,
                             int64_t first_key, int64_t count) {
  const attn_problem *p = call->problem;
  const attn_plan *plan = &call->plan->base;
  const attn_kernels *k = plan->kernels;
  attn_load_keys(p, plan, item, &t->tiles, first_key, count);
  k->pack_values(t->key_rows, t->tiles.key_rows, p->type, count, plan->block_keys, p->head_dim);
  attn_list_rows(p, item, &p->value, first_key, count, t->tiles.value_rows);
  k->pack_keys(t->value_columns, t->tiles.value_rows, p->type, count, p->value_dim);
}

/* Rows [row, row + rows) of the item: their queries, made finite once the scores are taken, and output gradients. */
static void load_rows(const attn_backward_call *call, const attn_item *item, attn_backward_tiles *t, int64_t row,
                      int64_t rows) {
  const attn_problem *p = call->problem;
  const attn_plan *plan = &call->plan->base;
  int64_t bytes = attn_real_bytes(p);
  attn_load_queries(p, plan, item, &t->tiles, row, rows);
  attn_load_view(p, plan, item, call->output_gradient, row, rows, t->output_gradients, plan->output_stride,
                 p->value_dim, 1);
  /* A row that attends to nothing takes no part, whatever its gradient holds. */
  for (int64_t r = 0; r < rows; r++)
    if (attn_get_real(call->lse2, bytes, attn_backward_row(call, item, row + r)) == INFINITY)
      memset(t->output_gradients + r * plan->output_stride * bytes, 0, (size_t)(p->value_dim * bytes));
}

/* Whether queries and output gradients of these rows can be other than finite: the numbers that were made of them tell,
 * which saves looking at each. A query that is not finite makes every score it sees infinite or NaN, unless a cap
 * bounds them, and so its log-sum-exp, unless a sink does; an output gradient that is not makes delta so. Rows that
 * attend to nothing may hold anything. */
static bool may_be_special(const attn_backward_call *call, const attn_item *item, int64_t row, int64_t rows) {
  int64_t bytes = attn_real_bytes(call->problem);
  for (int64_t r = row; r < row + rows; r++) {
    int64_t at = attn_backward_row(call, item, r);
    if (!isfinite(attn_get_real(call->lse2, bytes, at)) || !isfinite(attn_get_real(call->delta, bytes, at)))
      return true;
  }
  return call->problem->softcap > 0 || call->problem->sinks;
}

bool attn_block_gradients(const attn_backward_call *call, const attn_item *item, attn_backward_tiles *t, int64_t row,
                          int64_t rows, int64_t first_key, int64_t count, attn_columns *columns,
                          attn_score_gradient_sink *sink) {
  const attn_problem *p = call->problem;
  const attn_plan *plan = &call->plan->base;
  const attn_kernels *k = plan->kernels;
  *columns = attn_columns_of(p, plan, item, row, rows, first_key, count);
  if (columns->empty) return false;
  int64_t bytes = attn_real_bytes(p), stride = plan->score_stride;
  int64_t start = columns->first_slice * k->panel_width, n = columns->last_slice * k->panel_width - start;
  load_rows(call, item, t, row, rows);
  attn_final_scores(p, plan, item, &t->tiles, 0, row, rows, first_key, columns);
  int64_t queries = rows * plan->query_stride;
  t->special = may_be_special(call, item, row, rows);
  if (!p->additive && t->special && !k->all_finite(t->tiles.queries, queries))
    k->make_finite(t->tiles.queries, queries);
  /* Where columns from columns->high on hold anything, weights are 0 there, and so are gradients. */
  k->scores(t->score_gradients, stride, t->output_gradients, plan->output_stride, p->value_dim, t->value_columns, rows,
            columns->first_slice, columns->high);
  double kept = 1 / (1 - p->dropout_probability);
  uint64_t threshold = attn_dropout_threshold(p->dropout_probability);
  for (int64_t r = 0; r < rows; r++) {
    int64_t at = attn_backward_row(call, item, row + r), offset = (r * stride + start) * bytes;
    char *weights = t->tiles.scores + offset, *gradients = t->score_gradients + offset;
    double lse2 = attn_get_real(call->lse2, bytes, at), delta = attn_get_real(call->delta, bytes, at);
    if (p->dropout_probability > 0) {
      k->exp2_row(weights, n, lse2);
      attn_dropout_keep(t->tiles.keep, p->dropout_seed, threshold, item->sequence.batch, attn_item_head(item, row + r),
                        attn_item_position(item, row + r), first_key + start, n);
      k->drop_scaled(gradients, t->tiles.keep, n, kept);
      k->score_gradients(gradients, weights, n, delta);
    } else if (p->additive) { /* as forward, by the more accurate exponential */
      k->exp2_row(weights, n, lse2);
      k->score_gradients(gradients, weights, n, delta);
    } else {
      k->weights_and_gradients(weights, gradients, n, p->mask.data || !columns->full, lse2, delta);
    }
    if (sink) sink(call, item, gradients, row + r, first_key + start, columns->high - start);
    if (t->tiles.cap_slopes) k->multiply(gradients, t->tiles.cap_slopes + offset, n);
    if (p->dropout_probability > 0) k->drop_scaled(weights, t->tiles.keep, n, kept);
  }
  return true;
}

void attn_add_additive(const attn_backward_call *call, const attn_item *item, attn_backward_tiles *t, char *dq,
                       char *dk, bool keep_dw, int64_t row, int64_t rows, const attn_columns *columns) {
  const attn_plan *plan = &call->plan->base;
  const attn_kernels *k = plan->kernels;
  int64_t bytes = attn_real_bytes(call->problem), row_bytes = plan->query_stride * bytes;
  attn_additive operands = attn_additive_operands(call->problem, plan, item, &t->tiles, 0, row);
  memset(t->dw, 0, (size_t)(rows * row_bytes));
  k->additive_gradients(&operands, t->score_gradients, plan->score_stride, rows, columns->first_slice,
                        columns->last_slice, dq, t->dw, dk);
  for (int64_t r = 0; keep_dw && r < rows; r++)
    k->add_row(call->row_dw + attn_backward_row(call, item, row + r) * row_bytes, 1, t->dw + r * row_bytes,
               call->problem->head_dim);
}

void attn_add_dq(const attn_backward_call *call, attn_backward_tiles *t, char *dq, int64_t rows,
                 const attn_columns *columns) {
  const attn_plan *plan = &call->plan->base;
  const attn_kernels *k = plan->kernels;
  k->accumulate(dq, plan->query_stride, t->score_gradients, plan->score_stride, t->key_rows, plan->block_keys, rows,
                columns->low, columns->high, call->problem->head_dim);
}

void attn_add_dk(const attn_backward_call *call, attn_backward_tiles *t, int64_t rows, const attn_columns *columns) {
  const attn_plan *plan = &call->plan->base;
  plan->kernels->accumulate_transposed(t->dk, plan->query_stride, t->score_gradients, plan->score_stride, columns->low,
                                       columns->high, t->tiles.queries, plan->query_stride, rows,
                                       call->problem->head_dim);
}

/* Output gradients that are not finite, added to dv where their weight is not 0, and set to 0 for the product, in which
 * 0 * NaN would reach keys that the row may not see. */
static void add_special_dv(const attn_backward_call *call, attn_backward_tiles *t, int64_t rows,
                           const attn_columns *columns) {
  const attn_plan *plan = &call->plan->base;
  int64_t bytes = attn_real_bytes(call->problem);
  for (int64_t r = 0; r < rows; r++)
    for (int64_t d = 0; d < call->problem->value_dim; d++) {
      double x = attn_get_real(t->output_gradients, bytes, r * plan->output_stride + d);
      if (isfinite(x)) continue;
      for (int64_t j = columns->low; j < columns->high; j++)
        if (attn_get_real(t->tiles.scores, bytes, r * plan->score_stride + j) != 0)
          attn_set_real(t->dv, bytes, j * plan->output_stride + d,
                        attn_get_real(t->dv, bytes, j * plan->output_stride + d) + x);
    }
  plan->kernels->make_finite(t->output_gradients, rows * plan->output_stride);
}

void attn_add_dv(const attn_backward_call *call, attn_backward_tiles *t, int64_t rows, const attn_columns *columns) {
  const attn_plan *plan = &call->plan->base;
  if (t->special && !plan->kernels->all_finite(t->output_gradients, rows * plan->output_stride))
    add_special_dv(call, t, rows, columns);
  plan->kernels->accumulate_transposed(t->dv, plan->output_stride, t->tiles.scores, plan->score_stride, columns->low,
                                       columns->high, t->output_gradients, plan->output_stride, rows,
                                       call->problem->value_dim);
}

/* Scratch carries the scale times log2 e, or divided by softcap: this takes it back. */
static double unfolded_scale(const attn_problem *p) { return p->softcap > 0 ? p->softcap : ATTN_LN2; }

void attn_store_dq_row(const attn_backward_call *call, const attn_item *item, int64_t row, const char *dq) {
  const attn_problem *p = call->problem;
  call->plan->base.kernels->store_row(
      attn_output_row(p, &call->gradients->query, attn_type_bytes(p->type), &item->sequence, attn_item_head(item, row),
                      attn_item_position(item, row)),
      dq, NULL, p->type, p->head_dim, p->additive ? unfolded_scale(p) : p->scale);
}

/* Column j of panels, copied to `line`. */
static const char *panel_column(const attn_problem *p, const attn_plan *plan, const char *panels, int64_t j,
                                char *line) {
  int64_t bytes = attn_real_bytes(p), width = plan->kernels->panel_width;
  const char *column = panels + (j / width * p->head_dim * width + j % width) * bytes;
  if (bytes == 4)
    for (int64_t d = 0; d < p->head_dim; d++)
      ((float *)(void *)line)[d] = ((const float *)(const void *)column)[d * width];
  else
    for (int64_t d = 0; d < p->head_dim; d++)
      ((double *)(void *)line)[d] = ((const double *)(const void *)column)[d * width];
  return line;
}

void attn_store_dk_dv(const attn_backward_call *call, const attn_item *item, const attn_backward_tiles *t,
                      int64_t first_key, int64_t count) {
  const attn_problem *p = call->problem;
  const attn_plan *plan = &call->plan->base;
  int64_t bytes = attn_real_bytes(p);
  for (int64_t j = 0; j < count; j++) {
    if (call->gradients->key.data) {
      const char *row = t->dk + j * plan->query_stride * bytes;
      if (p->additive) row = panel_column(p, plan, t->dk, j, t->dw);
      plan->kernels->store_row(
          attn_key_gradient_row(p, &call->gradients->key, &item->sequence, item->kv_head, first_key + j), row, NULL,
          p->type, p->head_dim, unfolded_scale(p));
    }
    if (call->gradients->value.data)
      plan->kernels->store_row(
          attn_key_gradient_row(p, &call->gradients->value, &item->sequence, item->kv_head, first_key + j),
          t->dv + j * plan->output_stride * bytes, NULL, p->type, p->value_dim, 1);
  }
}
