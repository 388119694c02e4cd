#include "weights.h"

#include <math.h>
#include <string.h>

#include "parallel.h"
#include "scratch.h"
#include "status.h"
#include "tile.h"
#include "top.h"

/* The one product of this file is a finished tile: final scores, or weights averaged over heads, of a chunk of the rows
 * chosen against a block of keys. Two drivers consume tiles: by rows, whose owner stores them and keeps the largest of
 * each, and by columns, whose owner sums them. */

typedef struct weights_call {
  const attn_problem *problem;
  const attn_weights_plan *plan;
  const attn_weights_request *request;
  const void *lse;
  char *scratch;
} weights_call;

typedef struct workspace {
  attn_tiles tiles;
  char *finished; /* [chunk][block_keys] reals */
  double *sums;   /* [block_keys] */
} workspace;

typedef enum tile_kind { TILE_SCORES, TILE_WEIGHTS } tile_kind;

/* Rows [row, row + rows) of the choice, against keys [key, key + keys). */
typedef struct tile_place {
  int64_t batch, result, row, rows, key, keys;
} tile_place;

attn_status attn_weights_plan_make(const attn_problem *p, const attn_weights_request *r, attn_weights_plan *plan) {
  attn_status status = attn_plan_make(p, &plan->tiles);
  if (status != ATTN_OK) return status;
  const attn_plan *tiles = &plan->tiles;
  plan->rows = r->rows ? r->row_count : p->query_length;
  plan->heads = r->heads ? r->head_count : p->query_heads;
  plan->results = r->averaged ? 1 : plan->heads;
  plan->chunk = tiles->block_rows;
  plan->chunks = (plan->rows + plan->chunk - 1) / plan->chunk;
  plan->key_blocks = (p->key_length + tiles->block_keys - 1) / tiles->block_keys;
  int64_t streams, items;
  if (__builtin_mul_overflow(p->batch, plan->results, &streams) ||
      __builtin_mul_overflow(streams, attn_max(plan->chunks, plan->key_blocks), &items))
    return attn_fail(ATTN_ERROR_OVERFLOW, "the choice has too many work items");
  plan->tiles.threads = (int)attn_max(1, attn_min(p->threads ? p->threads : attn_max_threads(), items));
  plan->thread_bytes = tiles->thread_bytes + plan->chunk * tiles->block_keys * attn_real_bytes(p) +
                       tiles->block_keys * (int64_t)sizeof(double);
  plan->thread_bytes = attn_round_up(plan->thread_bytes, ATTN_SCRATCH_ALIGNMENT);
  int64_t all;
  if (__builtin_mul_overflow(plan->thread_bytes, (int64_t)plan->tiles.threads, &all))
    return attn_fail(ATTN_ERROR_OVERFLOW, "the scratch memory of %d threads is too large", plan->tiles.threads);
  return ATTN_OK;
}

static workspace workspace_of(const weights_call *call, int thread) {
  const attn_weights_plan *plan = call->plan;
  char *memory = call->scratch + thread * plan->thread_bytes;
  char *finished = memory + plan->tiles.thread_bytes;
  char *sums = finished + plan->chunk * plan->tiles.block_keys * attn_real_bytes(call->problem);
  return (workspace){attn_tiles_at(call->problem, &plan->tiles, memory), finished, (double *)(void *)sums};
}

static int64_t row_at(const weights_call *call, int64_t index) {
  return call->request->rows ? call->request->rows[index] : index;
}

static int64_t head_at(const weights_call *call, int64_t index) {
  return call->request->heads ? call->request->heads[index] : index;
}

/* How many of the next rows chosen are neighbours, in order. */
static int64_t run_length(const weights_call *call, int64_t index, int64_t end) {
  int64_t n = 1;
  while (index + n < end && row_at(call, index + n) == row_at(call, index) + n) n++;
  return n;
}

static void fill(char *numbers, int64_t bytes, int64_t n, double x) {
  for (int64_t i = 0; i < n; i++) attn_set_real(numbers, bytes, i, x);
}

/* Adds the weights of one row, base-2 scores s[start, n) of the tile, to its finished row. */
static void add_weights(const weights_call *call, const attn_item *item, int64_t i, int64_t key, int64_t start,
                        int64_t valid, int64_t n, char *s, char *finished) {
  const attn_problem *p = call->problem;
  const attn_kernels *k = call->plan->tiles.kernels;
  int64_t bytes = attn_real_bytes(p);
  double lse =
      attn_get_real(call->lse, bytes, (item->sequence.batch * p->query_heads + item->first_head) * p->query_length + i);
  if (lse == -INFINITY) return; /* the row attends to nothing */
  if (isnan(lse)) {             /* NaN where it may attend; what is masked stays 0 */
    for (int64_t j = start; j < start + valid; j++)
      if (attn_visible(p, &item->sequence, item->first_head, i, key + j)) attn_set_real(finished, bytes, j, NAN);
    return;
  }
  k->exp2_row(s, n, lse * ATTN_LOG2E);
  k->add_row(finished + start * bytes, 1, s, valid);
}

/* One head's part of a tile: each run of neighbouring rows against the keys, packed once. */
static void add_head(const weights_call *call, tile_kind kind, workspace *w, const tile_place *at, int64_t head) {
  const attn_problem *p = call->problem;
  const attn_plan *plan = &call->plan->tiles;
  const attn_kernels *k = plan->kernels;
  int64_t bytes = attn_real_bytes(p);
  bool packed = false;
  for (int64_t r = 0, run; r < at->rows; r += run) {
    run = run_length(call, at->row + r, at->row + at->rows);
    attn_item item = attn_item_of(p, plan, at->batch, head / plan->group, row_at(call, at->row + r), run);
    item.first_head = head;
    item.heads = 1;
    item.rows = item.positions;
    int64_t keys = attn_min(at->keys, item.sequence.keys - at->key);
    if (item.rows == 0 || keys <= 0) continue;
    attn_columns columns = attn_columns_of(p, plan, &item, 0, item.rows, at->key, keys);
    if (columns.empty) continue;
    if (!packed) attn_load_keys(p, plan, &item, &w->tiles, at->key, keys);
    packed = true;
    attn_load_queries(p, plan, &item, &w->tiles, 0, item.rows);
    attn_final_scores(p, plan, &item, &w->tiles, 0, 0, item.rows, at->key, &columns);
    int64_t start = columns.first_slice * k->panel_width, n = columns.last_slice * k->panel_width - start;
    for (int64_t line = 0; line < item.rows; line++) {
      char *s = w->tiles.scores + (line * plan->score_stride + start) * bytes;
      char *finished = w->finished + (r + line) * plan->block_keys * bytes;
      if (kind == TILE_SCORES)
        k->store_row(finished + start * bytes, s, NULL, bytes == 8 ? ATTN_F64 : ATTN_F32, columns.high - start,
                     ATTN_LN2);
      else
        add_weights(call, &item, item.first + line, at->key, start, columns.high - start, n, s, finished);
    }
  }
}

static void finish_tile(const weights_call *call, tile_kind kind, workspace *w, const tile_place *at) {
  int64_t bytes = attn_real_bytes(call->problem), width = call->plan->tiles.block_keys;
  fill(w->finished, bytes, at->rows * width, kind == TILE_SCORES ? -INFINITY : 0);
  if (!call->request->averaged) {
    add_head(call, kind, w, at, head_at(call, at->result));
    return;
  }
  for (int64_t h = 0; h < call->plan->heads; h++) add_head(call, kind, w, at, head_at(call, h));
  for (int64_t i = 0; i < at->rows * width; i++)
    attn_set_real(w->finished, bytes, i, attn_get_real(w->finished, bytes, i) / (double)call->plan->heads);
}

/* The first line of a place in arrays [B, H', R, ...]. */
static int64_t line_of(const weights_call *call, const tile_place *at) {
  return (at->batch * call->plan->results + at->result) * call->plan->rows + at->row;
}

static void store_tile(const weights_call *call, const workspace *w, const tile_place *at, void *array) {
  int64_t bytes = attn_real_bytes(call->problem), width = call->plan->tiles.block_keys;
  int64_t line = line_of(call, at), keys = call->problem->key_length;
  for (int64_t r = 0; r < at->rows; r++)
    memcpy((char *)array + ((line + r) * keys + at->key) * bytes, w->finished + r * width * bytes,
           (size_t)(at->keys * bytes));
}

static attn_top top_at(const weights_call *call, int64_t line, int64_t count) {
  const attn_weights_request *q = call->request;
  int64_t bytes = attn_real_bytes(call->problem);
  return (attn_top){.k = q->top,
                    .count = count,
                    .keys = q->top_keys + line * q->top,
                    .weights = (char *)q->top_weights + line * q->top * bytes,
                    .bytes = bytes};
}

/* counts[r] is how many the row's heap holds. */
static void keep_largest(const weights_call *call, const workspace *w, const tile_place *at, int64_t *counts) {
  int64_t bytes = attn_real_bytes(call->problem), width = call->plan->tiles.block_keys;
  for (int64_t r = 0; r < at->rows; r++) {
    attn_top top = top_at(call, line_of(call, at) + r, counts[r]);
    for (int64_t j = 0; j < at->keys; j++) {
      double weight = attn_get_real(w->finished, bytes, r * width + j);
      if (weight > 0 || isnan(weight)) attn_top_add(&top, at->key + j, weight);
    }
    counts[r] = top.count;
  }
}

static tile_place place_of_keys(const weights_call *call, tile_place at, int64_t key_block) {
  at.key = key_block * call->plan->tiles.block_keys;
  at.keys = attn_min(call->plan->tiles.block_keys, call->problem->key_length - at.key);
  return at;
}

static tile_place place_of_rows(const weights_call *call, tile_place at, int64_t chunk) {
  at.row = chunk * call->plan->chunk;
  at.rows = attn_min(call->plan->chunk, call->plan->rows - at.row);
  return at;
}

static tile_place place_of_stream(const weights_call *call, int64_t stream) {
  return (tile_place){.batch = stream / call->plan->results, .result = stream % call->plan->results};
}

static void rows_item(void *context, int thread, int64_t index) {
  const weights_call *call = context;
  const attn_weights_request *q = call->request;
  workspace w = workspace_of(call, thread);
  tile_place at = place_of_rows(call, place_of_stream(call, index / call->plan->chunks), index % call->plan->chunks);
  int64_t counts[ATTN_BLOCK_ROWS] = {0};
  for (int64_t block = 0; block < call->plan->key_blocks; block++) {
    at = place_of_keys(call, at, block);
    if (q->scores) {
      finish_tile(call, TILE_SCORES, &w, &at);
      store_tile(call, &w, &at, q->scores);
    }
    if (!q->weights && !q->top_keys) continue;
    finish_tile(call, TILE_WEIGHTS, &w, &at);
    if (q->weights) store_tile(call, &w, &at, q->weights);
    if (q->top_keys) keep_largest(call, &w, &at, counts);
  }
  for (int64_t r = 0; q->top_keys && r < at.rows; r++) {
    attn_top top = top_at(call, line_of(call, &at) + r, counts[r]);
    attn_top_finish(&top);
  }
}

static void columns_item(void *context, int thread, int64_t index) {
  const weights_call *call = context;
  int64_t bytes = attn_real_bytes(call->problem), width = call->plan->tiles.block_keys;
  workspace w = workspace_of(call, thread);
  int64_t stream = index / call->plan->key_blocks;
  tile_place at = place_of_keys(call, place_of_stream(call, stream), index % call->plan->key_blocks);
  for (int64_t j = 0; j < at.keys; j++) w.sums[j] = 0;
  for (int64_t chunk = 0; chunk < call->plan->chunks; chunk++) {
    at = place_of_rows(call, at, chunk);
    finish_tile(call, TILE_WEIGHTS, &w, &at);
    for (int64_t r = 0; r < at.rows; r++)
      for (int64_t j = 0; j < at.keys; j++) w.sums[j] += attn_get_real(w.finished, bytes, r * width + j);
  }
  for (int64_t j = 0; j < at.keys; j++)
    attn_set_real(call->request->column_sums, bytes, stream * call->problem->key_length + at.key + j, w.sums[j]);
}

void attn_weights_run(const attn_problem *p, const attn_weights_plan *plan, const void *lse,
                      const attn_weights_request *request, char *scratch) {
  weights_call call = {p, plan, request, lse, scratch};
  int64_t streams = p->batch * plan->results;
  if (request->scores || request->weights || request->top_keys)
    attn_parallel(plan->tiles.threads, streams * plan->chunks, rows_item, &call);
  if (request->column_sums) attn_parallel(plan->tiles.threads, streams * plan->key_blocks, columns_item, &call);
}
