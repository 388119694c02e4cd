/* Work items visit every stretch of positions of every key/value head once, whatever the threads; and where a bound
 * makes late positions the longest, the items of a head come late positions first. */
#include <math.h>
#include <stdlib.h>

#include "expect.h"
#include "plan.h"

static void visit(int64_t batch, int64_t kv_heads, int64_t length, int threads) {
  expect_context("B = %lld, G = %lld, S = %lld, %d threads", (long long)batch, (long long)kv_heads, (long long)length,
                 threads);
  attn_problem p = attn_problem_init(ATTN_F32, batch, kv_heads, kv_heads, length, length, 64, 64);
  p.threads = threads;
  attn_plan plan;
  if (!EXPECT(attn_plan_make(&p, &plan) == ATTN_OK)) return;
  int64_t streams = batch * kv_heads, *earliest = malloc((size_t)streams * sizeof *earliest);
  for (int64_t i = 0; i < streams; i++) earliest[i] = length;
  for (int64_t index = 0; index < plan.items; index++) {
    attn_item item = attn_item_at(&p, &plan, index);
    int64_t stream = item.sequence.batch * kv_heads + item.kv_head;
    if (!EXPECT(stream >= 0 && stream < streams)) break;
    /* Each one ends where the one before it began, from the last position down: none is left out or comes twice. */
    EXPECT_INT(item.first + item.positions, earliest[stream]);
    earliest[stream] = item.first;
  }
  for (int64_t i = 0; i < streams; i++) EXPECT_INT(earliest[i], 0);
  free(earliest);
}

static attn_plan plan_of(attn_problem p, int threads) {
  attn_plan plan = {0};
  p.threads = threads;
  EXPECT_INT(attn_plan_make(&p, &plan), ATTN_OK);
  return plan;
}

/* Rows until the last thread ends, if every item took as long as its rows, over the rows of a thread. */
static double longest_thread(const attn_problem *p, const attn_plan *plan, int threads) {
  double turns = ceil((double)plan->items / threads);
  return turns * (double)plan->item_positions / ((double)(p->batch * p->kv_heads * p->query_length) / threads);
}

/* No thread is left waiting for another one's long item, and items are not smaller than that asks for. */
static void divided_evenly(void) {
  const int64_t heads[] = {1, 2, 3, 5, 8}, lengths[] = {333, 700, 1000, 2048, 5000};
  for (int h = 0; h < 5; h++)
    for (int s = 0; s < 5; s++)
      for (int threads = 2; threads <= 4; threads++) {
        attn_problem p = attn_problem_init(ATTN_F32, 1, heads[h], heads[h], lengths[s], lengths[s], 64, 64);
        attn_plan plan = plan_of(p, threads);
        expect_context("H = %d, S = %d, %d threads: %d items of %d", (int)heads[h], (int)lengths[s], threads,
                       (int)plan.items, (int)plan.item_positions);
        /* Items of 96 rows and more leave no finer division to the shortest. */
        EXPECT(longest_thread(&p, &plan, threads) < (lengths[s] < 1000 ? 1.25 : 1.12));
        EXPECT(plan.items >= 2 * threads || plan.item_positions < 2 * 96);
        p.causal = true;
        plan = plan_of(p, threads);
        EXPECT(plan.items >= 4 * threads || plan.item_positions < 2 * 96);
        /* Of sequences that may differ in length one may have all the work. */
        const int64_t key_lengths[] = {7};
        p.key_lengths = key_lengths;
        plan = plan_of(p, threads);
        EXPECT(plan.items >= 8 * threads || plan.item_positions < 2 * 96);
      }
}

/* Shapes that only a plan is made of, as large as numbers go, and none at all. */
static void extremes(void) {
  const int64_t most = INT32_MAX;
  const int threads[] = {1, 2, 16, 1024, INT32_MAX};
  for (int t = 0; t < 5; t++) {
    expect_context("%d threads", threads[t]);
    EXPECT_INT(plan_of(attn_problem_init(ATTN_F32, 0, 2, 2, 300, 300, 64, 64), threads[t]).items, 0);
    EXPECT_INT(plan_of(attn_problem_init(ATTN_F32, 2, 2, 2, 0, 300, 64, 64), threads[t]).items, 0);
    EXPECT(plan_of(attn_problem_init(ATTN_F32, 1, 1024, 1, most, most, 64, 64), threads[t]).items > 0);
    /* More threads have no space for tiles of so many heads. */
    if (threads[t] <= 1024)
      EXPECT(plan_of(attn_problem_init(ATTN_F32, 64, most, 1, most, 1, 64, 64), threads[t]).items > 0);
  }
}

int main(void) {
  const int64_t heads[] = {1, 2, 3, 5, 8, 17}, lengths[] = {1, 95, 97, 700, 2048, 5000};
  const int threads[] = {1, 2, 3, 7, 16, 64};
  for (int h = 0; h < 6; h++)
    for (int s = 0; s < 6; s++)
      for (int t = 0; t < 6; t++) visit(1 + h % 3, heads[h], lengths[s], threads[t]);
  divided_evenly();
  extremes();
  return expect_finish();
}
