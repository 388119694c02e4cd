/* The ways to split the backward pass give the same bits, at any number of threads. */
#include <stdlib.h>
#include <string.h>

#include "backward.h"
#include "expect.h"
#include "gradients.h"
#include "number.h"

enum { B = 2, H = 6, G = 3, SQ = 251, D = 40, DV = 24, RESULTS = 3 };

typedef struct arrays {
  attn_type type, real;
  int64_t keys;
  void *output, *lse, *output_gradient, *results[RESULTS];
} arrays;

static void *stored(attn_type type, const double *numbers, int64_t count) {
  void *array = malloc((size_t)(count * number_bytes(type)));
  for (int64_t i = 0; i < count; i++) number_set(type, array, i, numbers[i]);
  return array;
}

static int64_t result_count(const arrays *a, int which) {
  return which == 0 ? B * H * SQ * D : B * G * a->keys * (which == 1 ? D : DV);
}

static void run(const attn_problem *p, const attn_backward_plan *plan, const arrays *a, bool want_dq) {
  attn_input output = attn_input_bhsd(a->output, H, SQ, DV), lse = attn_input_bhsd(a->lse, H, SQ, 1);
  attn_input output_gradient = attn_input_bhsd(a->output_gradient, H, SQ, DV);
  attn_gradients gradients = {.query = attn_output_bhsd(a->results[0], H, SQ, D),
                              .key = attn_output_bhsd(a->results[1], G, a->keys, D),
                              .value = attn_output_bhsd(a->results[2], G, a->keys, DV)};
  if (!want_dq) gradients.query.data = NULL;
  for (int i = 0; i < RESULTS; i++) memset(a->results[i], 0xA5, (size_t)(result_count(a, i) * number_bytes(a->type)));
  size_t size = (size_t)(plan->shared_bytes + plan->threads * plan->thread_bytes);
  char *scratch = aligned_alloc(64, (size + 63) / 64 * 64);
  memset(scratch, 0xFF, size); /* NaN in every type: memory that is added unwritten must show */
  attn_backward_run(p, plan, &output, &lse, &output_gradient, &gradients, scratch);
  free(scratch);
}

static void compare(attn_type type, const char *isa, int64_t keys, random_source *r) {
  trial t = trial_make(type, B, H, G, SQ, keys, D, DV, r);
  attn_problem *p = &t.problem;
  p->isa = isa;
  p->causal = true;
  p->alignment = ATTN_ALIGN_BOTTOM_RIGHT;
  if (random_chance(r, 0.5)) p->window_left = 350;
  if (random_chance(r, 0.5)) p->dropout_probability = 0.3;
  if (random_chance(r, 0.5)) trial_add_key_lengths(&t, r);
  trial_store(&t, NULL);
  saved s = saved_make(&t, isa, r);
  arrays a = {.type = type, .real = number_compute_type(type), .keys = keys};
  a.output = stored(type, s.output, trial_outputs(&t));
  a.lse = stored(a.real, s.lse, trial_rows(&t));
  a.output_gradient = stored(type, s.output_gradient, trial_outputs(&t));
  void *want[RESULTS];
  for (int i = 0; i < RESULTS; i++) a.results[i] = malloc((size_t)(result_count(&a, i) * number_bytes(type)));
  /* Of six streams these threads cut none, 1, 2, 1 and all of them where whole streams go before chunks. Of 700 keys the
   * first rows see none of the last chunk, and with the window the last rows none of the first. */
  const int threads[] = {1, 2, 4, 5, 7};
  for (int split = ATTN_BY_STREAM; split <= ATTN_BY_KEYS_THEN_QUERIES; split++)
    for (int n = 0; n < 10; n++) {
      bool want_dq = n < 5;
      p->threads = threads[n % 5];
      attn_backward_plan plan;
      EXPECT_INT(attn_backward_plan_make(p, &plan), ATTN_OK);
      EXPECT_INT(plan.chunks, (keys + 255) / 256);
      EXPECT_INT(attn_backward_plan_as(p, (attn_backward_split)split, &plan), ATTN_OK);
      run(p, &plan, &a, want_dq);
      expect_context("%s %s %d keys split %d threads %d dq %d", isa, number_type_name(type), (int)keys, split,
                     p->threads, want_dq);
      for (int i = 0; i < RESULTS; i++) {
        size_t size = (size_t)(result_count(&a, i) * number_bytes(type));
        if (split == ATTN_BY_STREAM && n == 0) memcpy(want[i] = malloc(size), a.results[i], size);
        if (i > 0 || want_dq) EXPECT(memcmp(a.results[i], want[i], size) == 0);
      }
    }
  for (int i = 0; i < RESULTS; i++) free(a.results[i]), free(want[i]);
  free(a.output), free(a.lse), free(a.output_gradient);
  saved_free(&s);
  trial_free(&t);
}

/* The heads that whole rounds of the threads leave over, or one, are cut by their keys, if memory allows. */
static void choice(void) {
  attn_problem p = attn_problem_init(ATTN_F32, 1, 1, 1, 4096, 4096, 64, 64);
  attn_backward_plan plan;
  const struct {
    int64_t heads;
    int threads;
    attn_backward_split split;
  } cases[] = {{1, 1, ATTN_BY_STREAM},           {1, 2, ATTN_BY_CHUNK},  {2, 2, ATTN_BY_STREAM_AND_CHUNK},
               {8, 1, ATTN_BY_STREAM},           {3, 4, ATTN_BY_CHUNK},  {8, 2, ATTN_BY_STREAM_AND_CHUNK},
               {8, 3, ATTN_BY_STREAM_AND_CHUNK}, {8, 16, ATTN_BY_CHUNK}, {40, 2, ATTN_BY_STREAM_AND_CHUNK}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    p.batch = cases[i].heads;
    p.threads = cases[i].threads;
    expect_context("%d heads, %d threads", (int)cases[i].heads, cases[i].threads);
    EXPECT_INT(attn_backward_plan_make(&p, &plan), ATTN_OK);
    EXPECT_INT(plan.split, cases[i].split);
  }
  p.batch = 8;
  p.threads = 2;
  p.query_length = p.key_length = 32768; /* 128 MiB of shares and 32 MiB of dq, where 128 MiB are allowed */
  expect_context("a longer sequence");
  EXPECT_INT(attn_backward_plan_make(&p, &plan), ATTN_OK);
  EXPECT_INT(plan.split, ATTN_BY_STREAM);
  p.batch = 1;
  p.query_length = p.key_length = 1 << 20; /* shares of dq would take gigabytes */
  expect_context("a long sequence");
  EXPECT_INT(attn_backward_plan_make(&p, &plan), ATTN_OK);
  EXPECT_INT(plan.split, ATTN_BY_KEYS_THEN_QUERIES);
  EXPECT(plan.shared_bytes + 2 * plan.thread_bytes < 64 << 20);
}

int main(void) {
  random_source r = {expect_seed()};
  for (int i = 0; i < attn_isa_count(); i++) {
    if (!attn_isa_available(i)) continue;
    const int64_t keys[] = {256, 257, 700};
    for (int n = 0; n < 3; n++) {
      compare(ATTN_F32, attn_isa_name(i), keys[n], &r);
      compare(ATTN_F64, attn_isa_name(i), keys[n], &r);
      compare(ATTN_BF16, attn_isa_name(i), keys[n], &r);
    }
  }
  choice();
  return expect_finish();
}
