/* What scratch memory holds before a call changes no bit of its results: random problems with zeros in it, then NaN. */
#include <stdlib.h>
#include <string.h>

#include "expect.h"
#include "gradients.h"
#include "number.h"
#include "scratch.h"

/* Multiplications of the forward pass in a case. */
#define MOST_WORK 1e5

/* More than a call here takes: expect_taken tells if not. */
#define SCRATCH_BYTES ((size_t)8 << 20)

/* The next call takes this memory, the only one that is kept. */
static const attn_arena *fill_scratch(int byte) {
  attn_arena *arena = attn_arena_take(SCRATCH_BYTES);
  memset(arena->data, byte, arena->bytes);
  attn_arena_give(arena);
  return arena;
}

/* A call that had needed more would have put other memory in its place. */
static void expect_taken(const attn_arena *filled) {
  attn_arena *arena = attn_arena_take(0);
  EXPECT(arena == filled);
  attn_arena_give(arena);
}

static void run_case(random_source *r, int64_t index, const char *isa) {
  trial t = trial_random(r, MOST_WORK);
  trial_describe(&t, isa, index);
  int64_t outputs = trial_outputs(&t), rows = trial_rows(&t);
  attn_type real = number_compute_type(t.problem.type);
  size_t weight_bytes = (size_t)(trial_pairs(&t) * number_bytes(real));
  saved s = saved_make(&t, isa, r);
  gradients g[2] = {gradients_make(&t, r)};
  g[1] = gradients_like(&t, &g[0]);
  double *output[2], *lse[2];
  void *weights[2];
  void *stored_lse = calloc(1, (size_t)(rows * number_bytes(real)) + 1);
  for (int64_t i = 0; i < rows; i++) number_set(real, stored_lse, i, s.lse[i]);
  attn_problem p = t.problem;
  p.isa = isa;
  for (int i = 0; i < 2; i++) {
    const int byte = i == 0 ? 0 : 0xFF;
    output[i] = trial_numbers(outputs), lse[i] = trial_numbers(rows), weights[i] = calloc(1, weight_bytes + 1);
    const attn_arena *filled = fill_scratch(byte);
    trial_run(&t, isa, 2, NULL, output[i], lse[i]);
    expect_taken(filled);
    filled = fill_scratch(byte);
    gradients_run(&t, isa, 2, NULL, &s, &g[i]);
    expect_taken(filled);
    filled = fill_scratch(byte);
    EXPECT_INT(trial_weights(&p, stored_lse, NULL, weights[i]), ATTN_OK);
    expect_taken(filled);
  }
  EXPECT_SAME(output[1], output[0], outputs);
  EXPECT_SAME(lse[1], lse[0], rows);
  gradients_expect_same(&t, &g[1], &g[0]);
  EXPECT(memcmp(weights[1], weights[0], weight_bytes) == 0);
  for (int i = 0; i < 2; i++) {
    free(output[i]), free(lse[i]), free(weights[i]);
    gradients_free(&g[i]);
  }
  free(stored_lse);
  saved_free(&s);
  trial_free(&t);
}

int main(void) {
  int cases = expect_cases(150);
  for (int i = 0; i < cases; i++)
    for (int isa = 0; isa < attn_isa_count(); isa++) {
      if (!attn_isa_available(isa)) continue;
      random_source r = {expect_seed() * 1000003 + (uint64_t)i};
      run_case(&r, i, attn_isa_name(isa));
    }
  return expect_finish();
}
