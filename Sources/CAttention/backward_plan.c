/* How the backward pass is split among threads, and the scratch memory that takes. */
#include "backward.h"
#include "backward_tile.h"
#include "scratch.h"
#include "status.h"

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

/* Streams that go by chunk, the last ones: those that would leave threads idle in the last round of whole streams, and
 * one where none would, for cores are rarely equally fast: two threads with four whole heads each wait for the slower
 * one. */
static int64_t streams_to_cut(int64_t streams, int64_t threads) {
  return threads == 1 ? 0 : attn_min(streams, attn_max(1, streams % threads));
}

/* Bytes of dq of a stream, `times` over, or -1 on overflow. */
static int64_t dq_bytes(const attn_problem *p, const attn_backward_plan *plan, int64_t times) {
  int64_t bytes = plan->base.query_stride * attn_real_bytes(p);
  if (__builtin_mul_overflow(bytes, times, &bytes) ||
      __builtin_mul_overflow(bytes, attn_stream_rows(p, &plan->base), &bytes))
    return -1;
  return bytes;
}

static attn_backward_split choose_split(const attn_problem *p, const attn_backward_plan *plan, int64_t wanted) {
  int64_t streams = p->batch * p->kv_heads, rounds = (streams + wanted - 1) / wanted;
  int64_t cut = streams_to_cut(streams, wanted), most = LARGEST_DQ_BYTES * wanted;
  /* An owner of whole streams keeps two of these, all chunks done and the share of the one under way. */
  int64_t owner = dq_bytes(p, plan, 2), shares = dq_bytes(p, plan, cut * plan->chunks);
  bool fits = owner >= 0 && owner <= LARGEST_DQ_BYTES;
  if (fits && cut == 0) return ATTN_BY_STREAM;
  if (fits && plan->chunks > 1 && shares >= 0 && shares <= most - (cut < streams ? owner * wanted : 0))
    return cut < streams ? ATTN_BY_STREAM_AND_CHUNK : ATTN_BY_CHUNK;
  /* Owners of whole streams keep `streams / (rounds * threads)` of the threads busy, with five products for seven. */
  return fits && streams * 7 >= rounds * wanted * 5 ? ATTN_BY_STREAM : ATTN_BY_KEYS_THEN_QUERIES;
}

attn_status attn_backward_plan_as(const attn_problem *p, attn_backward_split split, attn_backward_plan *plan) {
  int64_t streams = p->batch * p->kv_heads, bytes = attn_real_bytes(p);
  plan->split = split;
  plan->cut_streams = split == ATTN_BY_CHUNK              ? streams
                      : split == ATTN_BY_STREAM_AND_CHUNK ? streams_to_cut(streams, plan->threads)
                                                          : 0;
  plan->whole_streams = split == ATTN_BY_KEYS_THEN_QUERIES ? 0 : streams - plan->cut_streams;
  plan->thread_bytes = attn_backward_thread_bytes(p, plan);
  int64_t rows, row_bytes = (2 + (p->additive ? plan->base.query_stride : 0)) * bytes;
  if (__builtin_mul_overflow(streams, attn_stream_rows(p, &plan->base), &rows) ||
      __builtin_mul_overflow(rows, row_bytes, &plan->row_bytes) || plan->row_bytes > INT64_MAX / 4)
    return attn_fail(ATTN_ERROR_OVERFLOW, "the problem has too many rows");
  plan->row_bytes = attn_round_up(plan->row_bytes, ATTN_SCRATCH_ALIGNMENT);
  plan->shared_bytes = plan->row_bytes;
  int64_t all;
  if (plan->thread_bytes < 0 || __builtin_mul_overflow(plan->thread_bytes, (int64_t)plan->threads, &all) ||
      all > INT64_MAX / 2)
    return attn_fail(ATTN_ERROR_OVERFLOW, "the scratch memory of %d threads is too large", plan->threads);
  int64_t shares = dq_bytes(p, plan, plan->cut_streams * plan->chunks);
  if (shares < 0 || shares > INT64_MAX / 8)
    return attn_fail(ATTN_ERROR_OVERFLOW, "the shares of the gradient of the queries are too large");
  plan->range_bytes =
      attn_round_up(plan->cut_streams * plan->chunks * (int64_t)sizeof(attn_share_range), ATTN_SCRATCH_ALIGNMENT);
  plan->shared_bytes += plan->range_bytes + attn_round_up(shares, ATTN_SCRATCH_ALIGNMENT);
  return ATTN_OK;
}

attn_status attn_backward_plan_make(const attn_problem *p, attn_backward_plan *plan) {
  attn_status status = attn_plan_make(p, &plan->base);
  if (status != ATTN_OK) return status;
  int64_t wanted = attn_threads_for(p);
  plan_chunks(p, plan);
  int64_t most = attn_max(plan->base.items, p->batch * p->kv_heads * attn_max(1, plan->key_blocks));
  plan->threads = (int)attn_max(1, attn_min(wanted, most));
  return attn_backward_plan_as(p, choose_split(p, plan, wanted), plan);
}
