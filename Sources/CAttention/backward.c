#include "backward.h"

#include <math.h>
#include <string.h>

#include "dropout.h"
#include "parallel.h"
#include "scratch.h"
#include "status.h"
#include "tile.h"

/* Scratch of one thread. The names of gradients follow the formulas of attn_backward. */
typedef struct backward_tiles {
  attn_tiles tiles;       /* scores become weights p; queries and key panels as in forward */
  char *output_gradients; /* do, [block_rows][output_stride] */
  char *score_gradients;  /* ds, [block_rows][block_keys] */
  char *key_rows;         /* the keys as panels of rows, for dq */
  char *value_columns;    /* the values as panels of columns, for dp */
  char *dq;               /* [dq_rows][query_stride], all chunks of keys done */
  char *dq_share;         /* the same, of the chunk under way; no memory of its own when there is but one chunk */
  char *dk;               /* [block_keys][query_stride] */
  char *dv;               /* [block_keys][output_stride] */
  char *line;             /* one row of the output */
  char *dw;               /* [block_rows][query_stride], additive scores only */
  bool special;           /* whether the loaded rows may hold numbers that are not finite */
} backward_tiles;

typedef struct backward_call {
  const attn_problem *problem;
  const attn_backward_plan *plan;
  const attn_input *output, *lse, *output_gradient;
  const attn_gradients *gradients;
  char *delta, *lse2; /* per row of every stream: <do, o>, and the log-sum-exp in base 2 (+infinity for empty rows) */
  char *row_dw;       /* additive scores: per row of every stream its share of dw, [query_stride] */
  char *shares;       /* by chunk: [streams][chunks][rows][query_stride] */
  char *scratch;      /* of thread 0 */
} backward_call;

/* Lays the scratch of a thread out from `memory`; with null memory returns its size in `end` alone. */
static backward_tiles lay_out(const attn_problem *p, const attn_backward_plan *whole, int64_t dq_rows, char *memory,
                              int64_t *end) {
  const attn_plan *plan = &whole->base;
  int64_t bytes = attn_real_bytes(p), at = plan->thread_bytes;
  const int64_t score_bytes = plan->block_rows * plan->score_stride * bytes;
  const int64_t key_bytes = plan->block_keys * plan->query_stride * bytes;
  const int64_t value_bytes = plan->block_keys * plan->output_stride * bytes;
  const int64_t sizes[] = {plan->block_rows * plan->output_stride * bytes,
                           score_bytes,
                           score_bytes,
                           key_bytes,
                           value_bytes,
                           dq_rows * plan->query_stride * bytes,
                           whole->chunks > 1 ? dq_rows * plan->query_stride * bytes : 0,
                           key_bytes,
                           value_bytes,
                           plan->output_stride * bytes,
                           p->additive ? plan->block_rows * plan->query_stride * bytes : 0};
  char *parts[11];
  for (int i = 0; i < 11; i++) {
    parts[i] = memory ? memory + at : NULL;
    at += attn_round_up(sizes[i], ATTN_SCRATCH_ALIGNMENT);
  }
  if (end) *end = at;
  backward_tiles t = {.output_gradients = parts[0],
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

static int64_t stream_rows(const attn_problem *p, const attn_plan *plan) { return p->query_length * plan->group; }

/* dq of whole streams in scratch must stay reasonable, a thread. */
#define LARGEST_DQ_BYTES ((int64_t)64 << 20)

/* A chunk of keys: long enough that adding its share of dq costs nothing beside making it, and chunks enough for many
 * threads to share one stream. */
#define CHUNK_KEYS 256
#define MOST_CHUNKS 16

static void plan_chunks(const attn_problem *p, attn_backward_plan *plan) {
  int64_t keys = plan->base.block_keys;
  plan->key_blocks = (p->key_length + keys - 1) / keys;
  plan->chunk_blocks = attn_max(attn_max(1, CHUNK_KEYS / keys), (plan->key_blocks + MOST_CHUNKS - 1) / MOST_CHUNKS);
  /* The gradients of an additive weight vector are collected row by row, over all keys. */
  if (p->additive) plan->chunk_blocks = attn_max(1, plan->key_blocks);
  plan->chunks = attn_max(1, (plan->key_blocks + plan->chunk_blocks - 1) / plan->chunk_blocks);
}

/* Owners of whole streams keep `streams / (rounds * threads)` of the threads busy, all others keep all of them busy. */
static attn_backward_split choose_split(const attn_problem *p, const attn_backward_plan *plan, int64_t wanted) {
  int64_t streams = p->batch * p->kv_heads, rounds = (streams + wanted - 1) / wanted, stream_bytes, shares;
  bool fits = !__builtin_mul_overflow(stream_rows(p, &plan->base), plan->base.query_stride * attn_real_bytes(p),
                                      &stream_bytes) &&
              2 * stream_bytes <= LARGEST_DQ_BYTES;
  if (fits && streams * 20 >= rounds * wanted * 19) return ATTN_BY_STREAM;
  if (fits && plan->chunks > 1 && !__builtin_mul_overflow(stream_bytes, streams * plan->chunks, &shares) &&
      shares <= LARGEST_DQ_BYTES * wanted)
    return ATTN_BY_CHUNK;
  return fits && streams * 7 >= rounds * wanted * 5 ? ATTN_BY_STREAM : ATTN_BY_KEYS_THEN_QUERIES;
}

/* Rows of dq that a thread keeps. */
static int64_t dq_rows(const attn_problem *p, const attn_backward_plan *plan) {
  if (plan->split == ATTN_BY_STREAM) return stream_rows(p, &plan->base);
  return plan->split == ATTN_BY_CHUNK ? 1 : plan->base.item_rows;
}

attn_status attn_backward_plan_as(const attn_problem *p, attn_backward_split split, attn_backward_plan *plan) {
  int64_t streams = p->batch * p->kv_heads, bytes = attn_real_bytes(p);
  plan->split = split;
  lay_out(p, plan, dq_rows(p, plan), NULL, &plan->thread_bytes);
  int64_t rows, row_bytes = (2 + (p->additive ? plan->base.query_stride : 0)) * bytes;
  if (__builtin_mul_overflow(streams, stream_rows(p, &plan->base), &rows) ||
      __builtin_mul_overflow(rows, row_bytes, &plan->row_bytes) || plan->row_bytes > INT64_MAX / 4)
    return attn_fail(ATTN_ERROR_OVERFLOW, "the problem has too many rows");
  plan->row_bytes = attn_round_up(plan->row_bytes, ATTN_SCRATCH_ALIGNMENT);
  plan->shared_bytes = plan->row_bytes;
  if (split == ATTN_BY_CHUNK)
    plan->shared_bytes += attn_round_up(rows * plan->chunks * plan->base.query_stride * bytes, ATTN_SCRATCH_ALIGNMENT);
  return ATTN_OK;
}

attn_status attn_backward_plan_make(const attn_problem *p, attn_backward_plan *plan) {
  attn_status status = attn_plan_make(p, &plan->base);
  if (status != ATTN_OK) return status;
  int64_t wanted = p->threads ? p->threads : attn_max_threads();
  plan_chunks(p, plan);
  int64_t most = attn_max(plan->base.items, p->batch * p->kv_heads * attn_max(1, plan->key_blocks));
  plan->threads = (int)attn_max(1, attn_min(wanted, most));
  return attn_backward_plan_as(p, choose_split(p, plan, wanted), plan);
}

static backward_tiles tiles_of(const backward_call *call, int thread) {
  return lay_out(call->problem, call->plan, dq_rows(call->problem, call->plan),
                 call->scratch + thread * call->plan->thread_bytes, NULL);
}

/* Where a row's delta and log-sum-exp stand. */
static int64_t row_index(const backward_call *call, const attn_item *item, int64_t row) {
  const attn_problem *p = call->problem;
  int64_t group = call->plan->base.group, stream = item->sequence.batch * p->kv_heads + item->kv_head;
  int64_t head = attn_item_head(item, row) - item->kv_head * group;
  return stream * stream_rows(p, &call->plan->base) + attn_item_position(item, row) * group + head;
}

/* delta_i = <do_i, o_i> and the log-sum-exp of every row. */
static void prepare_item(void *context, int thread, int64_t index) {
  const backward_call *call = context;
  const attn_problem *p = call->problem;
  const attn_plan *plan = &call->plan->base;
  int64_t bytes = attn_real_bytes(p), type_bytes = attn_type_bytes(p->type);
  attn_item item = attn_item_at(p, plan, index);
  backward_tiles t = tiles_of(call, thread);
  for (int64_t r = 0; r < item.rows; r++) {
    int64_t head = attn_item_head(&item, r), i = attn_item_position(&item, r), at = row_index(call, &item, r);
    plan->kernels->load_row(t.line, attn_input_row(p, call->output, type_bytes, &item.sequence, head, i), p->type,
                            p->value_dim, 1);
    plan->kernels->load_row(t.output_gradients,
                            attn_input_row(p, call->output_gradient, type_bytes, &item.sequence, head, i), p->type,
                            p->value_dim, 1);
    double lse = attn_get_real(attn_input_row(p, call->lse, bytes, &item.sequence, head, i), bytes, 0);
    bool empty = lse == -INFINITY;
    attn_set_real(call->delta, bytes, at, empty ? 0 : plan->kernels->dot(t.line, t.output_gradients, p->value_dim));
    attn_set_real(call->lse2, bytes, at, empty ? INFINITY : lse * ATTN_LOG2E);
  }
}

static void load_key_tile(const backward_call *call, const attn_item *item, backward_tiles *t, int64_t first_key,
                          int64_t count) {
  const attn_problem *p = call->problem;
  const attn_plan *plan = &call->plan->base;
  const attn_kernels *k = plan->kernels;
  attn_load_keys(p, plan, item, &t->tiles, first_key, count);
  k->pack_values(t->key_rows, t->tiles.key_rows, p->type, count, plan->block_keys, p->head_dim);
  for (int64_t j = 0; j < count; j++)
    t->tiles.value_rows[j] = attn_key_row(p, &p->value, &item->sequence, item->kv_head, first_key + j);
  k->pack_keys(t->value_columns, t->tiles.value_rows, p->type, count, p->value_dim);
}

/* Rows [row, row + rows) of the item: their queries, made finite once the scores are taken, and output gradients. */
static void load_rows(const backward_call *call, const attn_item *item, backward_tiles *t, int64_t row, int64_t rows) {
  const attn_problem *p = call->problem;
  const attn_plan *plan = &call->plan->base;
  int64_t bytes = attn_real_bytes(p);
  attn_load_queries(p, plan, item, &t->tiles, row, rows);
  for (int64_t r = 0; r < rows; r++) {
    char *dst = t->output_gradients + r * plan->output_stride * bytes;
    memset(dst + p->value_dim * bytes, 0, (size_t)((plan->output_stride - p->value_dim) * bytes));
    /* A row that attends to nothing takes no part, whatever its gradient holds. */
    if (attn_get_real(call->lse2, bytes, row_index(call, item, row + r)) == INFINITY) {
      memset(dst, 0, (size_t)(p->value_dim * bytes));
      continue;
    }
    plan->kernels->load_row(dst,
                            attn_input_row(p, call->output_gradient, attn_type_bytes(p->type), &item->sequence,
                                           attn_item_head(item, row + r), attn_item_position(item, row + r)),
                            p->type, p->value_dim, 1);
  }
}

/* Whether queries and output gradients of these rows can be other than finite: the numbers that were made of them tell,
 * which saves looking at each. A query that is not finite makes every score it sees infinite or NaN, unless a cap
 * bounds them, and so its log-sum-exp; an output gradient that is not makes delta so. Rows that attend to nothing may
 * hold anything. */
static bool may_be_special(const backward_call *call, const attn_item *item, int64_t row, int64_t rows) {
  int64_t bytes = attn_real_bytes(call->problem);
  for (int64_t r = row; r < row + rows; r++) {
    int64_t at = row_index(call, item, r);
    if (!isfinite(attn_get_real(call->lse2, bytes, at)) || !isfinite(attn_get_real(call->delta, bytes, at)))
      return true;
  }
  return call->problem->softcap > 0;
}

/* Called with each row of gradients of the final scores, before the cap's derivative: what the bias collects. */
typedef void bias_sink(const backward_call *call, const attn_item *item, const char *gradients, int64_t row,
                       int64_t first_key, int64_t n);

/* Weights (after dropout) into tiles.scores and gradients of scores into score_gradients, for rows [row, row + rows)
 * against the loaded tile of keys. Returns false when no row sees any key. */
static bool block_gradients(const backward_call *call, const attn_item *item, backward_tiles *t, int64_t row,
                            int64_t rows, int64_t first_key, int64_t count, attn_columns *columns, bias_sink *sink) {
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
  k->scores(t->score_gradients, stride, t->output_gradients, plan->output_stride, p->value_dim, t->value_columns, rows,
            columns->first_slice, columns->last_slice);
  double kept = 1 / (1 - p->dropout_probability);
  uint64_t threshold = attn_dropout_threshold(p->dropout_probability);
  for (int64_t r = 0; r < rows; r++) {
    int64_t at = row_index(call, item, row + r), offset = (r * stride + start) * bytes;
    char *weights = t->tiles.scores + offset, *gradients = t->score_gradients + offset;
    k->exp2_row(weights, n, attn_get_real(call->lse2, bytes, at));
    if (p->dropout_probability > 0) {
      attn_dropout_keep(t->tiles.keep, p->dropout_seed, threshold, item->sequence.batch, attn_item_head(item, row + r),
                        attn_item_position(item, row + r), first_key + start, n);
      k->drop_scaled(gradients, t->tiles.keep, n, kept);
    }
    k->score_gradients(gradients, weights, n, attn_get_real(call->delta, bytes, at));
    if (sink) sink(call, item, gradients, row + r, first_key + start, columns->high - start);
    if (t->tiles.cap_slopes) k->multiply(gradients, t->tiles.cap_slopes + offset, n);
    if (p->dropout_probability > 0) k->drop_scaled(weights, t->tiles.keep, n, kept);
  }
  return true;
}

/* Additive scores: dq, dk (as panels) and each row's share of dw come from one pass over the pairs. The shares are
 * added to the row's in row_dw, except where only keys are asked for. */
static void add_additive(const backward_call *call, const attn_item *item, backward_tiles *t, char *dq, char *dk,
                         bool keep_dw, int64_t row, int64_t rows, const attn_columns *columns) {
  const attn_plan *plan = &call->plan->base;
  const attn_kernels *k = plan->kernels;
  int64_t bytes = attn_real_bytes(call->problem), row_bytes = plan->query_stride * bytes;
  attn_additive operands = attn_additive_operands(call->problem, plan, item, &t->tiles, 0, row);
  memset(t->dw, 0, (size_t)(rows * row_bytes));
  k->additive_gradients(&operands, t->score_gradients, plan->score_stride, rows, columns->first_slice,
                        columns->last_slice, dq, t->dw, dk);
  for (int64_t r = 0; keep_dw && r < rows; r++)
    k->add_row(call->row_dw + row_index(call, item, row + r) * row_bytes, 1, t->dw + r * row_bytes,
               call->problem->head_dim);
}

static void add_dq(const backward_call *call, backward_tiles *t, char *dq, int64_t rows, const attn_columns *columns) {
  const attn_plan *plan = &call->plan->base;
  const attn_kernels *k = plan->kernels;
  k->accumulate(dq, plan->query_stride, t->score_gradients, plan->score_stride, t->key_rows, plan->block_keys, rows,
                columns->low, columns->high, plan->query_stride / k->panel_width);
}

static void add_dk(const backward_call *call, backward_tiles *t, int64_t rows, const attn_columns *columns) {
  const attn_plan *plan = &call->plan->base;
  plan->kernels->accumulate_transposed(t->dk, plan->query_stride, t->score_gradients, plan->score_stride, columns->low,
                                       columns->high, t->tiles.queries, plan->query_stride, rows, plan->query_stride);
}

/* Output gradients that are not finite, added to dv where their weight is not 0, and set to 0 for the product, in which
 * 0 * NaN would reach keys that the row may not see. */
static void add_special_dv(const backward_call *call, backward_tiles *t, int64_t rows, const attn_columns *columns) {
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

static void add_dv(const backward_call *call, backward_tiles *t, int64_t rows, const attn_columns *columns) {
  const attn_plan *plan = &call->plan->base;
  if (t->special && !plan->kernels->all_finite(t->output_gradients, rows * plan->output_stride))
    add_special_dv(call, t, rows, columns);
  plan->kernels->accumulate_transposed(t->dv, plan->output_stride, t->tiles.scores, plan->score_stride, columns->low,
                                       columns->high, t->output_gradients, plan->output_stride, rows,
                                       plan->output_stride);
}

/* Scratch carries the scale times log2 e, or divided by softcap: this takes it back. */
static double unfolded_scale(const attn_problem *p) { return p->softcap > 0 ? p->softcap : ATTN_LN2; }

static void store_dq_row(const backward_call *call, const attn_item *item, int64_t row, const char *dq) {
  const attn_problem *p = call->problem;
  call->plan->base.kernels->store_row(
      attn_output_row(p, &call->gradients->query, attn_type_bytes(p->type), &item->sequence, attn_item_head(item, row),
                      attn_item_position(item, row)),
      dq, NULL, p->type, p->head_dim, p->additive ? unfolded_scale(p) : p->scale);
}

static void store_dq(const backward_call *call, const attn_item *item, const backward_tiles *t) {
  int64_t row_bytes = call->plan->base.query_stride * attn_real_bytes(call->problem);
  for (int64_t r = 0; call->gradients->query.data && r < item->rows; r++)
    store_dq_row(call, item, r, t->dq + r * row_bytes);
}

/* Column j of panels, copied to `line`. */
static const char *panel_column(const attn_problem *p, const attn_plan *plan, const char *panels, int64_t j,
                                char *line) {
  int64_t bytes = attn_real_bytes(p), width = plan->kernels->panel_width;
  const char *column = panels + (j / width * p->head_dim * width + j % width) * bytes;
  for (int64_t d = 0; d < p->head_dim; d++) memcpy(line + d * bytes, column + d * width * bytes, (size_t)bytes);
  return line;
}

static void store_dk_dv(const backward_call *call, const attn_item *item, const backward_tiles *t, int64_t first_key,
                        int64_t count) {
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

/* One tile of keys against all rows of the stream: dk and dv, and what it adds to dq where that is wanted. */
static void key_tile(const backward_call *call, const attn_item *item, backward_tiles *t, int64_t first_key, char *dq) {
  const attn_problem *p = call->problem;
  const attn_plan *plan = &call->plan->base;
  int64_t bytes = attn_real_bytes(p);
  int64_t all = attn_min(plan->block_keys, item->sequence.all_keys - first_key);
  int64_t count = attn_max(0, attn_min(plan->block_keys, item->sequence.keys - first_key));
  memset(t->dk, 0, (size_t)(plan->block_keys * plan->query_stride * bytes));
  memset(t->dv, 0, (size_t)(plan->block_keys * plan->output_stride * bytes));
  if (count > 0) load_key_tile(call, item, t, first_key, count);
  for (int64_t row = 0; count > 0 && row < item->rows; row += plan->block_rows) {
    int64_t rows = attn_min(plan->block_rows, item->rows - row);
    attn_columns columns;
    if (!block_gradients(call, item, t, row, rows, first_key, count, &columns, NULL)) continue;
    add_dv(call, t, rows, &columns);
    char *block_dq = dq ? dq + row * plan->query_stride * bytes : NULL;
    if (p->additive) {
      add_additive(call, item, t, block_dq ? block_dq : t->dq, t->dk, dq != NULL, row, rows, &columns);
    } else {
      add_dk(call, t, rows, &columns);
      if (dq) add_dq(call, t, block_dq, rows, &columns);
    }
  }
  store_dk_dv(call, item, t, first_key, all);
}

static int64_t chunk_keys(const backward_call *call) { return call->plan->chunk_blocks * call->plan->base.block_keys; }

/* dq += dq_share, and dq_share = 0: a chunk of keys ends. */
static void end_chunk(const backward_call *call, const attn_item *item, backward_tiles *t) {
  int64_t numbers = item->rows * call->plan->base.query_stride;
  if (t->dq_share == t->dq) return;
  call->plan->base.kernels->add_row(t->dq, 1, t->dq_share, numbers);
  memset(t->dq_share, 0, (size_t)(numbers * attn_real_bytes(call->problem)));
}

static void clear_dq(const backward_call *call, const attn_item *item, backward_tiles *t) {
  size_t size = (size_t)(item->rows * call->plan->base.query_stride * attn_real_bytes(call->problem));
  memset(t->dq, 0, size);
  memset(t->dq_share, 0, size);
}

static void stream_item(void *context, int thread, int64_t index) {
  const backward_call *call = context;
  const attn_problem *p = call->problem;
  const attn_plan *plan = &call->plan->base;
  backward_tiles t = tiles_of(call, thread);
  attn_item item = attn_item_of(p, plan, index / p->kv_heads, index % p->kv_heads, 0, p->query_length);
  clear_dq(call, &item, &t);
  for (int64_t chunk = 0; chunk < item.sequence.all_keys; chunk += chunk_keys(call)) {
    int64_t end = attn_min(chunk + chunk_keys(call), item.sequence.all_keys);
    for (int64_t key = chunk; key < end; key += plan->block_keys) key_tile(call, &item, &t, key, t.dq_share);
    end_chunk(call, &item, &t);
  }
  store_dq(call, &item, &t);
}

static char *share_of(const backward_call *call, int64_t stream, int64_t chunk) {
  int64_t rows = stream_rows(call->problem, &call->plan->base);
  return call->shares +
         (stream * call->plan->chunks + chunk) * rows * call->plan->base.query_stride * attn_real_bytes(call->problem);
}

/* Early chunks first: with a causal mask most queries see them. */
static void chunk_item(void *context, int thread, int64_t index) {
  const backward_call *call = context;
  const attn_problem *p = call->problem;
  const attn_plan *plan = &call->plan->base;
  int64_t streams = p->batch * p->kv_heads, stream = index % streams, chunk = index / streams;
  backward_tiles t = tiles_of(call, thread);
  attn_item item = attn_item_of(p, plan, stream / p->kv_heads, stream % p->kv_heads, 0, p->query_length);
  char *share = share_of(call, stream, chunk);
  memset(share, 0, (size_t)(item.rows * plan->query_stride * attn_real_bytes(p)));
  int64_t end = attn_min((chunk + 1) * chunk_keys(call), item.sequence.all_keys);
  for (int64_t key = chunk * chunk_keys(call); key < end; key += plan->block_keys)
    key_tile(call, &item, &t, key, call->gradients->query.data ? share : NULL);
}

/* The chunks' shares of dq, added in order. */
static void shares_item(void *context, int thread, int64_t index) {
  const backward_call *call = context;
  const attn_problem *p = call->problem;
  const attn_plan *plan = &call->plan->base;
  int64_t bytes = attn_real_bytes(p), row_bytes = plan->query_stride * bytes;
  attn_item item = attn_item_at(p, plan, index);
  backward_tiles t = tiles_of(call, thread);
  int64_t stream = item.sequence.batch * p->kv_heads + item.kv_head;
  int64_t chunks = (item.sequence.all_keys + chunk_keys(call) - 1) / chunk_keys(call);
  for (int64_t r = 0; r < item.rows; r++) {
    int64_t row = attn_item_position(&item, r) * plan->group + attn_item_head(&item, r) - item.first_head;
    memset(t.dq, 0, (size_t)row_bytes);
    for (int64_t chunk = 0; chunk < chunks; chunk++)
      plan->kernels->add_row(t.dq, 1, share_of(call, stream, chunk) + row * row_bytes, plan->query_stride);
    store_dq_row(call, &item, r, t.dq);
  }
}

static void keys_item(void *context, int thread, int64_t index) {
  const backward_call *call = context;
  const attn_problem *p = call->problem;
  int64_t streams = p->batch * p->kv_heads, stream = index % streams, block = index / streams;
  attn_item item = attn_item_of(p, &call->plan->base, stream / p->kv_heads, stream % p->kv_heads, 0, p->query_length);
  int64_t first_key = block * call->plan->base.block_keys;
  if (first_key >= item.sequence.all_keys) return;
  backward_tiles t = tiles_of(call, thread);
  key_tile(call, &item, &t, first_key, NULL);
}

static void queries_item(void *context, int thread, int64_t index) {
  const backward_call *call = context;
  const attn_problem *p = call->problem;
  const attn_plan *plan = &call->plan->base;
  attn_item item = attn_item_at(p, plan, index);
  if (item.rows == 0) return;
  backward_tiles t = tiles_of(call, thread);
  int64_t bytes = attn_real_bytes(p);
  clear_dq(call, &item, &t);
  int64_t low = attn_visible_range(p, &item.sequence, item.first).low;
  int64_t high = attn_visible_range(p, &item.sequence, item.first + item.positions - 1).high;
  for (int64_t key = low / plan->block_keys * plan->block_keys; key < high; key += plan->block_keys) {
    int64_t count = attn_min(plan->block_keys, high - key);
    load_key_tile(call, &item, &t, key, count);
    for (int64_t row = 0; row < item.rows; row += plan->block_rows) {
      int64_t rows = attn_min(plan->block_rows, item.rows - row);
      attn_columns columns;
      if (!block_gradients(call, &item, &t, row, rows, key, count, &columns, NULL)) continue;
      char *dq = t.dq_share + row * plan->query_stride * bytes;
      if (p->additive)
        add_additive(call, &item, &t, dq, t.dk, true, row, rows, &columns);
      else
        add_dq(call, &t, dq, rows, &columns);
    }
    if ((key + plan->block_keys) % chunk_keys(call) == 0) end_chunk(call, &item, &t);
  }
  end_chunk(call, &item, &t);
  store_dq(call, &item, &t);
}

/* The bias gradient has an owner for each slice that is not summed over: a batch, head and block of positions, or all
 * of them where its stride is 0. The owner goes through what it sums over in order. */
typedef struct bias_slices {
  int64_t batches, heads, blocks; /* numbers of slices */
} bias_slices;

static bias_slices bias_slices_of(const backward_call *call) {
  const attn_problem *p = call->problem;
  const attn_gradients *g = call->gradients;
  return (bias_slices){
      g->bias.stride_batch ? p->batch : 1, g->bias.stride_head ? p->query_heads : 1,
      g->bias.stride_row ? (p->query_length + call->plan->base.block_rows - 1) / call->plan->base.block_rows : 1};
}

static char *bias_at(const backward_call *call, int64_t b, int64_t h, int64_t i, int64_t j) {
  const attn_gradients *g = call->gradients;
  return (char *)g->bias.data +
         (b * g->bias.stride_batch + h * g->bias.stride_head + i * g->bias.stride_row + j * g->bias.stride_key) *
             attn_real_bytes(call->problem);
}

static void add_to_bias(const backward_call *call, const attn_item *item, const char *gradients, int64_t row,
                        int64_t first_key, int64_t n) {
  call->plan->base.kernels->add_row(
      bias_at(call, item->sequence.batch, attn_item_head(item, row), attn_item_position(item, row), first_key),
      call->gradients->bias.stride_key, gradients, n);
}

static void bias_item(void *context, int thread, int64_t index) {
  const backward_call *call = context;
  const attn_problem *p = call->problem;
  const attn_plan *plan = &call->plan->base;
  bias_slices slices = bias_slices_of(call);
  int64_t block = index % slices.blocks, head = index / slices.blocks % slices.heads,
          batch = index / slices.blocks / slices.heads;
  int64_t first = block * plan->block_rows;
  int64_t last = slices.blocks > 1 ? attn_min(p->query_length, first + plan->block_rows) : p->query_length;
  backward_tiles t = tiles_of(call, thread);
  for (int64_t i = first; i < (call->gradients->bias.stride_row ? last : first + 1); i++)
    for (int64_t j = 0; j < (call->gradients->bias.stride_key ? p->key_length : 1); j++)
      attn_set_real(bias_at(call, batch, head, i, j), attn_real_bytes(p), 0, 0);
  for (int64_t b = batch; b < (slices.batches > 1 ? batch + 1 : p->batch); b++)
    for (int64_t h = head; h < (slices.heads > 1 ? head + 1 : p->query_heads); h++) {
      attn_item item = attn_item_of(p, plan, b, h / plan->group, first, last - first);
      item.first_head = h;
      item.heads = 1;
      item.rows = item.positions;
      for (int64_t key = 0; key < item.sequence.keys; key += plan->block_keys) {
        int64_t count = attn_min(plan->block_keys, item.sequence.keys - key);
        load_key_tile(call, &item, &t, key, count);
        for (int64_t row = 0; row < item.rows; row += plan->block_rows) {
          attn_columns columns;
          block_gradients(call, &item, &t, row, attn_min(plan->block_rows, item.rows - row), key, count, &columns,
                          add_to_bias);
        }
      }
    }
}

static void sink_item(void *context, int thread, int64_t head) {
  (void)thread;
  const backward_call *call = context;
  const attn_problem *p = call->problem;
  int64_t bytes = attn_real_bytes(p), group = call->plan->base.group;
  double sink = attn_head_number(p, p->sinks, head) * ATTN_LOG2E, sum = 0;
  for (int64_t b = 0; b < p->batch; b++) {
    attn_item item = attn_item_of(p, &call->plan->base, b, head / group, 0, p->query_length);
    for (int64_t i = 0; i < item.positions; i++) {
      int64_t at = row_index(call, &item, i * group + head % group);
      sum -= exp2(sink - attn_get_real(call->lse2, bytes, at)) * attn_get_real(call->delta, bytes, at);
    }
  }
  attn_set_real(call->gradients->sinks, bytes, head, sum);
}

/* dw of a head, or of all heads where they share it: the rows' shares in order. */
static void additive_item(void *context, int thread, int64_t index) {
  const backward_call *call = context;
  const attn_problem *p = call->problem;
  const attn_plan *plan = &call->plan->base;
  int64_t bytes = attn_real_bytes(p), heads = p->additive_stride_head ? 1 : p->query_heads;
  backward_tiles t = tiles_of(call, thread);
  memset(t.dw, 0, (size_t)(p->head_dim * bytes));
  for (int64_t b = 0; b < p->batch; b++)
    for (int64_t h = index; h < index + heads; h++) {
      attn_item item = attn_item_of(p, plan, b, h / plan->group, 0, p->query_length);
      for (int64_t i = 0; i < item.positions; i++)
        plan->kernels->add_row(
            t.dw, 1,
            call->row_dw + row_index(call, &item, i * plan->group + h % plan->group) * plan->query_stride * bytes,
            p->head_dim);
    }
  plan->kernels->store_row((char *)call->gradients->additive + index * p->additive_stride_head * bytes, t.dw, NULL,
                           bytes == 8 ? ATTN_F64 : ATTN_F32, p->head_dim, p->scale);
}

void attn_backward_run(const attn_problem *p, const attn_backward_plan *plan, const attn_input *output,
                       const attn_input *lse, const attn_input *output_gradient, const attn_gradients *gradients,
                       char *scratch) {
  int64_t streams = p->batch * p->kv_heads, rows = streams * stream_rows(p, &plan->base), bytes = attn_real_bytes(p);
  backward_call call = {.problem = p,
                        .plan = plan,
                        .output = output,
                        .lse = lse,
                        .output_gradient = output_gradient,
                        .gradients = gradients,
                        .delta = scratch,
                        .lse2 = scratch + rows * bytes,
                        .row_dw = scratch + 2 * rows * bytes,
                        .shares = scratch + plan->row_bytes,
                        .scratch = scratch + plan->shared_bytes};
  if (p->additive) memset(call.row_dw, 0, (size_t)(rows * plan->base.query_stride * bytes));
  attn_parallel(plan->threads, plan->base.items, prepare_item, &call);
  if (plan->split == ATTN_BY_STREAM) {
    attn_parallel(plan->threads, streams, stream_item, &call);
  } else if (plan->split == ATTN_BY_CHUNK) {
    attn_parallel(plan->threads, streams * plan->chunks, chunk_item, &call);
    if (gradients->query.data) attn_parallel(plan->threads, plan->base.items, shares_item, &call);
  } else {
    if (gradients->key.data || gradients->value.data)
      attn_parallel(plan->threads, streams * plan->key_blocks, keys_item, &call);
    if (gradients->query.data || gradients->additive)
      attn_parallel(plan->threads, plan->base.items, queries_item, &call);
  }
  if (gradients->bias.data) {
    bias_slices slices = bias_slices_of(&call);
    attn_parallel(plan->threads, slices.batches * slices.heads * slices.blocks, bias_item, &call);
  }
  if (gradients->additive)
    attn_parallel(plan->threads, p->additive_stride_head ? p->query_heads : 1, additive_item, &call);
  if (gradients->sinks && p->sinks) attn_parallel(plan->threads, p->query_heads, sink_item, &call);
}
