/* Eight threads calling at once get the bits of calls one after another, while scratch memory is being released. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"
#include "trial.h"

enum { CALLERS = 8, ROUNDS = 25 };

typedef struct caller {
  trial trial;
  float *want, *got;
  int threads, failures; /* checked once the threads have joined: the counters of expect.h are one thread's */
} caller;

static size_t bytes_of(const trial *t) { return (size_t)trial_outputs(t) * sizeof(float); }

static attn_status run(const caller *c, float *to, int threads) {
  attn_problem p = c->trial.problem;
  p.threads = threads;
  attn_output output = attn_output_bhsd(to, p.query_heads, p.query_length, p.value_dim);
  return attn_forward(&p, &output, NULL);
}

static void *call_often(void *context) {
  caller *c = context;
  for (int round = 0; round < ROUNDS; round++) {
    memset(c->got, 0xFF, bytes_of(&c->trial));
    if (run(c, c->got, c->threads) != ATTN_OK) c->failures++;
    if (memcmp(c->got, c->want, bytes_of(&c->trial)) != 0) c->failures++;
    /* Errors of one thread stay its own. */
    if (attn_alibi_slopes(-1 - c->threads, NULL) != ATTN_ERROR_NEGATIVE_SIZE) c->failures++;
  }
  return NULL;
}

static void *release_often(void *context) {
  atomic_bool *done = context;
  while (!atomic_load(done)) attn_release_memory();
  return NULL;
}

int main(void) {
  random_source r = {expect_seed()};
  caller callers[CALLERS] = {0};
  for (int i = 0; i < CALLERS; i++) {
    caller *c = &callers[i];
    c->trial = trial_make(ATTN_F32, 1 + i % 2, 4, 2, 20 + 13 * i, 30 + 29 * i, 8 + 16 * i, 5 + 9 * i, &r);
    if (i % 3 == 0) trial_add_mask(&c->trial, &r, 0.8);
    if (i % 3 == 1) c->trial.problem.dropout_probability = 0.25;
    trial_store(&c->trial, NULL);
    c->want = malloc(bytes_of(&c->trial));
    c->got = malloc(bytes_of(&c->trial));
    c->threads = 1 + i % 3;
    expect_context("serial call %d", i);
    EXPECT_INT(run(c, c->want, 1), ATTN_OK);
  }
  atomic_bool done = false;
  pthread_t threads[CALLERS], releaser;
  pthread_create(&releaser, NULL, release_often, &done);
  for (int i = 0; i < CALLERS; i++) pthread_create(&threads[i], NULL, call_often, &callers[i]);
  for (int i = 0; i < CALLERS; i++) pthread_join(threads[i], NULL);
  atomic_store(&done, true);
  pthread_join(releaser, NULL);
  for (int i = 0; i < CALLERS; i++) {
    expect_context("caller %d", i);
    EXPECT_INT(callers[i].failures, 0);
    free(callers[i].want);
    free(callers[i].got);
    trial_free(&callers[i].trial);
  }
  attn_release_memory();
  return expect_finish();
}
