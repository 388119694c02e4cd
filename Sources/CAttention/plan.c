#include "plan.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "check.h"
#include "dispatch.h"
#include "parallel.h"
#include "scratch.h"
#include "status.h"
#include "tile.h"
#if defined(__APPLE__)
#include <sys/sysctl.h>
#else
#include <unistd.h>
#endif

static int64_t detect_cache(int level) {
  int64_t bytes = 0;
#if defined(__APPLE__)
  size_t size = sizeof bytes;
  const char *name = level == 1 ? "hw.perflevel0.l1dcachesize" : "hw.perflevel0.l2cachesize";
  if (sysctlbyname(name, &bytes, &size, NULL, 0) != 0) bytes = 0;
#elif defined(_SC_LEVEL1_DCACHE_SIZE)
  bytes = sysconf(level == 1 ? _SC_LEVEL1_DCACHE_SIZE : _SC_LEVEL2_CACHE_SIZE);
#endif
  if (bytes > 0) return bytes;
  return level == 1 ? 32 << 10 : 512 << 10;
}

int64_t attn_cache_bytes(int level) {
  static _Atomic int64_t known[2];
  if (level != 1 && level != 2) return 0;
  int64_t bytes = atomic_load_explicit(&known[level - 1], memory_order_relaxed);
  if (bytes == 0) {
    bytes = detect_cache(level);
    atomic_store_explicit(&known[level - 1], bytes, memory_order_relaxed);
  }
  return bytes;
}

/* Keys of a score tile. The order of every sum over keys follows from it, so it depends on the dimensions alone and
 * never on caches: results must not change from one machine to the next of its kind. With 48 rows and D = 64 on AVX2,
 * 192, 256 and 384 keys were 2.5, 4 and 15 % slower than 128: their scores outgrow the first-level cache. */
static int64_t block_keys_for(const attn_problem *p) {
  int64_t widest = attn_max(p->head_dim, p->value_dim) * attn_real_bytes(p);
  return widest <= 512 ? 128 : widest <= 2048 ? 64 : 32;
}

/* The stride of scratch rows of `width` reals. The products of backward that sum over rows read them down their
 * columns: a multiple of 512 bytes apart, blocks of rows would share an eighth of the sets of a level-1 cache of 4
 * KiB a way and evict each other. A line more spreads them over all: 0.7 % of backward at D = 64, 1.4 % at D = 128
 * (Zen 4). */
static int64_t row_stride(int64_t width, int64_t bytes) {
  return width + (width * bytes % 512 == 0 ? ATTN_SCRATCH_ALIGNMENT / bytes : 0);
}

/* Items a thread at most, where there is a choice; at least two, four where a bound makes them uneven, and as many as
 * at most where sequences may differ in length. */
#define ENOUGH_ITEMS 8
#define FEWEST_ITEMS 2
#define FEWEST_UNEVEN_ITEMS 4

/* Divisions that are tried: a call of many threads should not plan for longer than a few microseconds. */
#define MOST_DIVISIONS 64

/* Rows whose products take as long as packing the keys and values that an item sees. */
#define PACKING_ROWS 8

/* Bytes of an item's queries and outputs, strides aside, or half of the level-2 cache where that is more. They come and
 * go a block of rows at a time, so they may outgrow the cache; half of one of 512 KiB took 1 % longer at D = 128, for
 * packing. */
#define ITEM_BYTES ((int64_t)1 << 20)

static int64_t fewest_items(const attn_problem *p) {
  if (p->key_lengths || p->query_starts || p->key_starts) return ENOUGH_ITEMS;
  return p->causal || p->window_left >= 0 || p->window_right >= 0 ? FEWEST_UNEVEN_ITEMS : FEWEST_ITEMS;
}

/* Positions of an item where a stream is divided into `items`: whole register tiles of rows, as far as groups allow. */
static int64_t positions_of_items(const attn_problem *p, const attn_plan *plan, int64_t items) {
  int64_t rows = (attn_max(1, p->query_length * plan->group) + items - 1) / items;
  return attn_max(1, attn_round_up(rows, plan->kernels->tile_rows) / plan->group);
}

/* Into how many items a stream is divided for several threads: what lets the slowest of them end first, when each takes
 * the next item as it is done with one and every item packs for itself. */
static int64_t items_of_stream(const attn_problem *p, const attn_plan *plan, int64_t all, int64_t least,
                               int64_t threads) {
  int64_t streams = attn_max(1, p->batch * p->kv_heads), smallest = 2 * ATTN_BLOCK_ROWS;
  if (streams >= ENOUGH_ITEMS * threads) return least;
  int64_t largest = attn_max(least, (all + smallest - 1) / smallest);
  int64_t last = attn_min(largest, attn_max(least, (ENOUGH_ITEMS * threads + streams - 1) / streams));
  int64_t fewest = fewest_items(p), first = attn_max(least, (fewest * threads + streams - 1) / streams);
  /* Even ones that would be too short may be one a thread. */
  if (first > last && fewest == FEWEST_ITEMS) first = attn_max(least, (threads + streams - 1) / streams);
  first = attn_min(first, last);
  int64_t best = first;
  int64_t step = (last - first) / MOST_DIVISIONS + 1;
  double least_time = INFINITY;
  for (int64_t items = first; items <= last; items += step) {
    int64_t positions = positions_of_items(p, plan, items);
    double count = (double)streams * (double)((p->query_length + positions - 1) / positions);
    double time = ceil(count / (double)threads) * ((double)positions * (double)plan->group + PACKING_ROWS);
    if (time < least_time) best = items, least_time = time;
  }
  return best;
}

/* Query positions of a work item: many, so that packing a tile of keys is paid once for all of them, but few enough
 * that small problems still split into items for all threads; then evened out. Blocking by rows changes no bits, so
 * caches and threads may speak here. */
static int64_t item_positions_for(const attn_problem *p, const attn_plan *plan, int64_t threads) {
  int64_t row_bytes = (plan->query_width + plan->output_width) * attn_real_bytes(p);
  int64_t item_bytes = attn_max(ITEM_BYTES, attn_cache_bytes(2) / 2);
  int64_t most = attn_max(ATTN_BLOCK_ROWS, item_bytes / row_bytes / ATTN_BLOCK_ROWS * ATTN_BLOCK_ROWS);
  int64_t all = attn_max(1, p->query_length * plan->group), items = (all + most - 1) / most;
  if (threads > 1) items = items_of_stream(p, plan, all, items, threads);
  return attn_min(attn_max(1, most / plan->group), positions_of_items(p, plan, items));
}

/* What beside the products takes the time of multiply-adds: measured on AVX2 in cycles a vector, 5.7 for a vector of
 * weights (exponential and sum) and 3.2 for one of packed numbers, at two fused multiply-adds a cycle. */
#define SOFTMAX_FLOPS 23
#define PACKING_FLOPS 13

/* A channel of an additive score against a multiply-add of a product. */
#define ADDITIVE_FLOPS 8

int64_t attn_threads_for(const attn_problem *p) {
  double pairs = (double)p->batch * (double)p->query_heads * (double)p->query_length * (double)p->key_length;
  double depth = (double)p->head_dim * (p->additive ? ADDITIVE_FLOPS : 1) + (double)p->value_dim;
  double packed = (double)p->batch * (double)p->kv_heads * (double)p->key_length;
  return attn_threads_worth(p->threads, (2 * pairs + PACKING_FLOPS * packed) * depth);
}

attn_status attn_plan_make(const attn_problem *p, attn_plan *plan) {
  memset(plan, 0, sizeof *plan);
  plan->kernels = attn_kernels_for(p->type, p->isa);
  if (!plan->kernels) return ATTN_ERROR_ISA;
  plan->group = p->query_heads / p->kv_heads;
  plan->block_rows = ATTN_BLOCK_ROWS;
  plan->block_keys = block_keys_for(p);
  plan->query_width = attn_round_up(p->head_dim, plan->kernels->panel_width);
  plan->output_width = attn_round_up(p->value_dim, plan->kernels->panel_width);
  int64_t bytes = attn_real_bytes(p);
  plan->query_stride = row_stride(plan->query_width, bytes);
  plan->score_stride = row_stride(plan->block_keys, bytes);
  plan->output_stride = row_stride(plan->output_width, bytes);
  int64_t most = attn_threads_for(p);
  plan->item_positions = attn_max(1, attn_min(item_positions_for(p, plan, most), p->query_length));
  plan->item_rows = plan->item_positions * plan->group;
  plan->position_blocks = (p->query_length + plan->item_positions - 1) / plan->item_positions;
  if (__builtin_mul_overflow(p->batch * p->kv_heads, plan->position_blocks, &plan->items))
    return attn_fail(ATTN_ERROR_OVERFLOW, "the problem has too many work items");
  plan->threads = (int)attn_max(1, attn_min(most, plan->items));
  if (!attn_tile_scratch_bytes(p, plan, &plan->thread_bytes))
    return attn_fail(ATTN_ERROR_OVERFLOW, "the scratch tiles for head_dim %lld and value_dim %lld are too large",
                     (long long)p->head_dim, (long long)p->value_dim);
  return ATTN_OK;
}

attn_item attn_item_of(const attn_problem *p, const attn_plan *plan, int64_t batch, int64_t kv_head, int64_t first,
                       int64_t positions) {
  attn_item item = {.sequence = attn_sequence_of(p, batch),
                    .kv_head = kv_head,
                    .first_head = kv_head * plan->group,
                    .heads = plan->group,
                    .first = first};
  item.positions = attn_max(0, attn_min(positions, item.sequence.queries - first));
  item.rows = item.positions * item.heads;
  return item;
}

/* Items of the streams in turns, a thread. */
#define ITEMS_AT_ONCE 2

/* Streams whose items take turns: as few as keep all threads busy to the end, for then their keys and values, which
 * every item of theirs reads, stay in the caches that threads share. All eight heads in turns were 5 % slower at
 * S = 2048, D = 128 on one thread (Zen 2). */
static int64_t streams_in_turns(const attn_plan *plan) {
  return (ITEMS_AT_ONCE * (int64_t)plan->threads + plan->position_blocks - 1) / plan->position_blocks;
}

attn_item attn_item_at(const attn_problem *p, const attn_plan *plan, int64_t index) {
  int64_t streams = p->batch * p->kv_heads, turns = attn_min(streams, streams_in_turns(plan));
  int64_t first = index / (turns * plan->position_blocks) * turns, at = index - first * plan->position_blocks;
  turns = attn_min(turns, streams - first);
  /* Late positions first: with a causal mask they see the most keys, and the longest work should not start last. */
  int64_t block = plan->position_blocks - 1 - at / turns, stream = first + at % turns;
  return attn_item_of(p, plan, stream / p->kv_heads, stream % p->kv_heads, block * plan->item_positions,
                      plan->item_positions);
}

attn_columns attn_columns_of(const attn_problem *p, const attn_plan *plan, const attn_item *item, int64_t row,
                             int64_t rows, int64_t first_key, int64_t count) {
  attn_range top = attn_visible_range(p, &item->sequence, attn_item_position(item, row));
  attn_range bottom = attn_visible_range(p, &item->sequence, attn_item_position(item, row + rows - 1));
  int64_t width = plan->kernels->panel_width;
  attn_columns columns = {.low = attn_max(0, top.low - first_key), .high = attn_min(count, bottom.high - first_key)};
  columns.empty = columns.low >= columns.high;
  if (columns.empty) return columns;
  columns.first_slice = columns.low / width;
  columns.last_slice = (columns.high + width - 1) / width;
  columns.full = bottom.low <= first_key + columns.first_slice * width &&
                 top.high >= first_key + columns.last_slice * width && columns.last_slice * width <= count;
  return columns;
}

bool attn_columns_differ(const attn_problem *p, const attn_item *item, int64_t row, int64_t rows) {
  attn_range top = attn_visible_range(p, &item->sequence, attn_item_position(item, row));
  attn_range bottom = attn_visible_range(p, &item->sequence, attn_item_position(item, row + rows - 1));
  return top.low != bottom.low || top.high != bottom.high;
}

/* Of one key/value head of one sequence, or of several. */
typedef struct plan_sums {
  double full, boundary, skipped, multiplied, weighed, pairs, query_rows, key_rows, packed_rows;
} plan_sums;

/* sum over i < n of first + i, clamped to [0, limit]. */
static double clamped_sum(int64_t first, int64_t n, int64_t limit) {
  int64_t start = attn_max(0, attn_min(n, -first));          /* terms that are 0 */
  int64_t end = attn_max(start, attn_min(n, limit - first)); /* terms from here on are the limit */
  double terms = (double)(end - start);
  return terms * ((double)(first + start) + (double)(first + end - 1)) / 2 + (double)(n - end) * (double)limit;
}

/* Pairs of query and key that the bounds leave to one query head. */
static double visible_pairs(const attn_problem *p, const attn_sequence *s) {
  int64_t n = s->queries;
  double high = (double)n * (double)s->keys, low = 0;
  int64_t right = p->window_right >= 0 ? attn_min(p->window_right, ATTN_FAR) : ATTN_FAR;
  if (p->causal) right = 0;
  if (right < ATTN_FAR) high = clamped_sum(s->offset + right + 1, n, s->keys);
  if (p->window_left >= 0) low = clamped_sum(s->offset - attn_min(p->window_left, ATTN_FAR), n, s->keys);
  return high - low;
}

/* Pairs that a block computes in a tile, columns in multiples of `lanes`: where a diagonal crosses it, in steps as high
 * as the register tile. */
static double computed_pairs(const attn_problem *p, const attn_plan *plan, const attn_item *item, int64_t row,
                             int64_t rows, int64_t first_key, int64_t count, int64_t lanes) {
  int64_t step = attn_columns_differ(p, item, row, rows) ? plan->kernels->tile_rows : rows;
  double pairs = 0;
  for (int64_t r = row; r < row + rows; r += step) {
    int64_t n = attn_min(step, row + rows - r);
    attn_columns c = attn_columns_of(p, plan, item, r, n, first_key, count);
    if (!c.empty)
      pairs += (double)n * (double)(attn_round_up(c.high, lanes) - c.first_slice * plan->kernels->panel_width);
  }
  return pairs;
}

/* Tiles of rows [row, row + rows) of an item. */
static void add_block(const attn_problem *p, const attn_plan *plan, const attn_item *item, int64_t row, int64_t rows,
                      plan_sums *sums) {
  int64_t length = plan->block_keys, slice = plan->kernels->panel_width;
  attn_range top = attn_visible_range(p, &item->sequence, attn_item_position(item, row));
  attn_range bottom = attn_visible_range(p, &item->sequence, attn_item_position(item, row + rows - 1));
  double *full = p->mask.data ? &sums->boundary : &sums->full;
  /* Between the tiles at either end that a bound may cross, all are full. */
  int64_t first = top.low / length, last = (bottom.high + length - 1) / length;
  int64_t first_full = (bottom.low + length - 1) / length, last_full = top.high / length;
  int64_t between = attn_max(0, last_full - first_full), visited = between;
  *full += (double)between;
  sums->multiplied += (double)between * (double)rows * (double)length;
  sums->weighed += (double)between * (double)rows * (double)length;
  for (int64_t tile = first; tile < last; tile++) {
    if (between > 0 && tile == first_full) tile = last_full;
    if (tile >= last) break;
    int64_t key = tile * length;
    int64_t count = attn_min(length, item->sequence.keys - key);
    attn_columns c = attn_columns_of(p, plan, item, row, rows, key, count);
    if (c.empty) continue;
    visited++;
    *(c.full ? full : &sums->boundary) += 1;
    /* Products end at half a slice, all else at a whole one. */
    sums->multiplied += computed_pairs(p, plan, item, row, rows, key, count, p->additive ? slice : slice / 2);
    sums->weighed += computed_pairs(p, plan, item, row, rows, key, count, slice);
  }
  sums->skipped += (double)((item->sequence.keys + length - 1) / length - visited);
}

static void add_sequence(const attn_problem *p, const attn_plan *plan, int64_t batch, plan_sums *sums) {
  attn_sequence s = attn_sequence_of(p, batch);
  for (int64_t first = 0; first < s.queries; first += plan->item_positions) {
    attn_item item = attn_item_of(p, plan, batch, 0, first, plan->item_positions);
    if (item.rows == 0) continue;
    int64_t low = attn_visible_range(p, &s, first).low / plan->block_keys * plan->block_keys;
    sums->packed_rows += (double)attn_max(0, attn_visible_range(p, &s, first + item.positions - 1).high - low);
    for (int64_t row = 0; row < item.rows; row += plan->block_rows)
      add_block(p, plan, &item, row, attn_min(plan->block_rows, item.rows - row), sums);
  }
  sums->pairs += visible_pairs(p, &s) * (double)plan->group;
  sums->query_rows += (double)s.queries * (double)plan->group;
  sums->key_rows += (double)s.keys;
}

attn_status attn_plan_forward(const attn_problem *p, attn_plan_info *info) {
  if (!info) return attn_fail(ATTN_ERROR_NULL_POINTER, "info is null");
  attn_plan plan;
  attn_status status = attn_check_options(p);
  if (status == ATTN_OK) status = attn_plan_make(p, &plan);
  if (status != ATTN_OK) return status;

  *info = (attn_plan_info){.isa = plan.kernels->isa,
                           .kernel = plan.kernels->name,
                           .register_rows = plan.kernels->tile_rows,
                           .register_columns = plan.kernels->panel_width,
                           .block_rows = plan.block_rows,
                           .block_keys = plan.block_keys,
                           .item_rows = plan.item_rows,
                           .items = plan.items,
                           .threads = plan.threads,
                           .scratch_bytes = plan.thread_bytes * plan.threads};
  /* Heads are alike; so are sequences, unless something is given for each. */
  bool alike = !p->query_offsets && !p->key_lengths && !p->query_starts && !p->key_starts;
  plan_sums sums = {0};
  for (int64_t b = 0; b < (alike ? attn_min(p->batch, 1) : p->batch); b++) add_sequence(p, &plan, b, &sums);
  double times = (double)p->kv_heads * (alike ? (double)p->batch : 1);
  info->tiles_full = (int64_t)(sums.full * times);
  info->tiles_boundary = (int64_t)(sums.boundary * times);
  info->tiles_skipped = (int64_t)(sums.skipped * times);
  info->visible_pairs = sums.pairs * times;
  double depth = (double)(p->head_dim + p->value_dim), bytes = (double)attn_type_bytes(p->type);
  info->flops = 2 * depth * info->visible_pairs;
  info->flops_executed = 2 * depth * sums.multiplied * times;
  double spent =
      info->flops_executed + SOFTMAX_FLOPS * sums.weighed * times + PACKING_FLOPS * depth * sums.packed_rows * times;
  info->expected_share = spent > 0 ? info->flops / spent : 0;
  info->bytes = depth * bytes * (sums.query_rows + sums.key_rows) * times;
  return ATTN_OK;
}
