/* Work items visit every stretch of positions of every key/value head once, whatever the threads; and where a bound
 * makes late positions the longest, the items of a head come late positions first. */
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

int main(void) {
  const int64_t heads[] = {1, 2, 3, 5, 8, 17}, lengths[] = {1, 95, 97, 700, 2048, 5000};
  const int threads[] = {1, 2, 3, 7, 16, 64};
  for (int h = 0; h < 6; h++)
    for (int s = 0; s < 6; s++)
      for (int t = 0; t < 6; t++) visit(1 + h % 3, heads[h], lengths[s], threads[t]);
  return expect_finish();
}
