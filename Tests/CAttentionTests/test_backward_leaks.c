/* NaN and infinity in what is masked change no bit of a gradient, and masked keys have a gradient of 0. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"
#include "gradients.h"
#include "number.h"

enum { KEYS = 201, QUERIES = 53, HEADS = 2, DIM = 21, VALUE_DIM = 19 };

static double special(random_source *r) {
  const double numbers[] = {NAN, INFINITY, -INFINITY};
  return numbers[random_int(r, 0, 2)];
}

static void poison(random_source *r, double *numbers, int64_t first, int64_t count) {
  for (int64_t i = 0; i < count; i++) numbers[first + i] = special(r);
}

typedef enum hiding { BY_MASK, BY_LENGTH, BY_CAUSAL, BY_WINDOW, HIDINGS } hiding;

static trial with_options(attn_type type, random_source *r) {
  trial t = trial_make(type, 1, HEADS, 1, QUERIES, KEYS, DIM, VALUE_DIM, r);
  if (random_chance(r, 0.3)) trial_add_sinks(&t, r);
  if (random_chance(r, 0.3)) t.problem.softcap = 2;
  if (random_chance(r, 0.3)) t.problem.dropout_probability = 0.3;
  if (random_chance(r, 0.3)) trial_add_bias(&t, r, number_compute_type(type));
  return t;
}

/* The gradients of clean data, then those of the same problem once spoiled, from a forward pass of its own but with the
 * output gradient in `clean`, which may be spoiled as well. */
typedef struct runs {
  saved clean, dirty;
  gradients before, after;
} runs;

static runs run_clean(trial *t, const char *isa, random_source *r) {
  trial_store(t, NULL);
  runs both = {.clean = saved_make(t, isa, r), .before = gradients_make(t, NULL)};
  gradients_run(t, isa, 1, NULL, &both.clean, &both.before);
  return both;
}

static void run_dirty(trial *t, const char *isa, random_source *r, int threads, runs *both) {
  free(t->stored_query), free(t->stored_key), free(t->stored_value);
  trial_store(t, NULL);
  both->dirty = saved_make(t, isa, r);
  memcpy(both->dirty.output_gradient, both->clean.output_gradient, (size_t)trial_outputs(t) * sizeof(double));
  both->after = gradients_like(t, &both->before);
  gradients_run(t, isa, threads, NULL, &both->dirty, &both->after);
}

static void runs_free(runs *both) {
  saved_free(&both->clean), saved_free(&both->dirty);
  gradients_free(&both->before), gradients_free(&both->after);
}

static bool all_zero(const double *numbers, int64_t count) {
  for (int64_t i = 0; i < count; i++)
    if (numbers[i] != 0) return false;
  return true;
}

/* A key and its value that no query sees. One thread, then as many as make keys and queries go separately. */
static void hidden_key(attn_type type, const char *isa, hiding how, int64_t key, random_source *r) {
  trial t = with_options(type, r);
  if (how == BY_MASK) {
    t.mask = malloc(KEYS);
    memset(t.mask, 1, KEYS);
    t.mask[key] = 0;
    t.naive.mask_strides[3] = 1;
  } else if (how == BY_LENGTH) {
    t.key_lengths = malloc(sizeof(int64_t));
    t.key_lengths[0] = key;
  } else {
    t.problem.alignment = ATTN_ALIGN_OFFSET;
    t.problem.query_offset = how == BY_CAUSAL ? key - QUERIES : key + 3;
    t.problem.causal = how == BY_CAUSAL;
    if (how == BY_WINDOW) t.problem.window_left = 2;
  }
  runs both = run_clean(&t, isa, r);
  poison(r, t.key, key * DIM, DIM);
  poison(r, t.value, key * VALUE_DIM, VALUE_DIM);
  int threads = key % 2 ? 1 : 4;
  run_dirty(&t, isa, r, threads, &both);
  expect_context("%s %s hidden key %d by %d threads %d", isa, number_type_name(type), (int)key, (int)how, threads);
  gradients_expect_same(&t, &both.after, &both.before);
  EXPECT(all_zero(both.after.key + key * DIM, DIM));
  EXPECT(all_zero(both.after.value + key * VALUE_DIM, VALUE_DIM));
  runs_free(&both);
  trial_free(&t);
}

/* Rows that attend to nothing: NaN in their queries and in their output gradients. */
static void empty_rows(attn_type type, const char *isa, hiding how, int threads, random_source *r) {
  trial t = with_options(type, r);
  bool empty[QUERIES] = {false};
  if (how == BY_MASK) {
    t.mask = malloc(QUERIES);
    for (int i = 0; i < QUERIES; i++) empty[i] = !(t.mask[i] = i > 0 && random_chance(r, 0.7));
    t.naive.mask_strides[2] = 1;
  } else if (how == BY_LENGTH) {
    t.key_lengths = calloc(1, sizeof(int64_t));
    for (int i = 0; i < QUERIES; i++) empty[i] = true;
  } else {
    t.problem.alignment = ATTN_ALIGN_OFFSET;
    t.problem.query_offset = how == BY_CAUSAL ? -20 : KEYS - 20;
    t.problem.causal = how == BY_CAUSAL;
    if (how == BY_WINDOW) t.problem.window_left = 2;
    for (int i = 0; i < QUERIES; i++) empty[i] = how == BY_CAUSAL ? i < 20 : i >= 22;
  }
  runs both = run_clean(&t, isa, r);
  for (int64_t row = 0; row < HEADS * QUERIES; row++) {
    if (!empty[row % QUERIES]) continue;
    poison(r, t.query, row * DIM, DIM);
    poison(r, both.clean.output_gradient, row * VALUE_DIM, VALUE_DIM);
  }
  run_dirty(&t, isa, r, threads, &both);
  expect_context("%s %s empty rows by %d threads %d", isa, number_type_name(type), (int)how, threads);
  gradients_expect_same(&t, &both.after, &both.before);
  for (int64_t row = 0; row < HEADS * QUERIES; row++)
    if (empty[row % QUERIES]) EXPECT(all_zero(both.after.query + row * DIM, DIM));
  runs_free(&both);
  trial_free(&t);
}

/* A row that sees some keys and holds NaN, in its query or its output gradient: keys that it cannot see, though they
 * share tiles with those that it can, keep their bits, and so does every other row. A key that some rows see does the
 * same to the rows that do not. */
typedef enum place { IN_QUERY, IN_OUTPUT_GRADIENT, IN_KEY, IN_VALUE, PLACES } place;

static void partly_visible(attn_type type, const char *isa, place where, random_source *r) {
  trial t = with_options(type, r);
  int64_t offset = KEYS - QUERIES - random_int(r, 0, 90), bad = random_int(r, 0, HEADS * QUERIES - 1);
  t.problem.alignment = ATTN_ALIGN_OFFSET;
  t.problem.query_offset = offset;
  t.problem.causal = true;
  /* The row's last key, which the rows before it do not see. */
  int64_t key = offset + bad % QUERIES;
  runs both = run_clean(&t, isa, r);
  if (where == IN_QUERY) t.query[bad * DIM + random_int(r, 0, DIM - 1)] = NAN;
  if (where == IN_KEY) t.key[key * DIM + random_int(r, 0, DIM - 1)] = NAN;
  if (where == IN_VALUE) t.value[key * VALUE_DIM + random_int(r, 0, VALUE_DIM - 1)] = NAN;
  if (where == IN_OUTPUT_GRADIENT) both.clean.output_gradient[bad * VALUE_DIM] = NAN;
  run_dirty(&t, isa, r, (int)random_int(r, 1, 4), &both);
  bool whole_row = where == IN_QUERY || where == IN_OUTPUT_GRADIENT;
  for (int64_t row = 0; row < HEADS * QUERIES; row++) {
    if (whole_row ? row == bad : row % QUERIES >= bad % QUERIES) continue;
    expect_context("%s %s place %d row %d beside NaN in row %d, key %d", isa, number_type_name(type), (int)where,
                   (int)row, (int)bad, (int)key);
    EXPECT_SAME(both.after.query + row * DIM, both.before.query + row * DIM, DIM);
  }
  /* Keys that no spoiled row sees: those behind the row's last, and behind that of the last row. */
  for (int64_t j = (whole_row ? key : offset + QUERIES - 1) + 1; j < KEYS; j++) {
    expect_context("%s %s place %d key %d hidden from NaN in row %d, whose last key is %d", isa,
                   number_type_name(type), (int)where, (int)j, (int)bad, (int)key);
    EXPECT_SAME(both.after.key + j * DIM, both.before.key + j * DIM, DIM);
    EXPECT_SAME(both.after.value + j * VALUE_DIM, both.before.value + j * VALUE_DIM, VALUE_DIM);
  }
  /* No masked pair adds to the gradient of a bias that is not summed over. */
  for (int64_t row = 0; row < HEADS * QUERIES && both.after.bias_elements == HEADS * QUERIES * KEYS; row++)
    EXPECT(all_zero(both.after.bias + row * KEYS + offset + row % QUERIES + 1, QUERIES - 1 - row % QUERIES));
  runs_free(&both);
  trial_free(&t);
}

int main(void) {
  random_source r = {expect_seed()};
  int cases = expect_cases(12);
  for (int i = 0; i < attn_isa_count(); i++)
    for (int type = ATTN_F32; type <= ATTN_BF16 && attn_isa_available(i); type++) {
      const char *isa = attn_isa_name(i);
      for (int how = 0; how < HIDINGS; how++) {
        /* Places all over a tile of 128 keys, the tile's last, the next's first, and the tail. */
        int64_t step = cases < 12 ? 67 : 41;
        for (int64_t key = 0; key < KEYS; key += step) hidden_key((attn_type)type, isa, (hiding)how, key, &r);
        for (int64_t key = 127; key <= 128; key++) hidden_key((attn_type)type, isa, (hiding)how, key, &r);
        hidden_key((attn_type)type, isa, (hiding)how, KEYS - 1, &r);
        for (int threads = 1; threads <= 4; threads += 3) empty_rows((attn_type)type, isa, (hiding)how, threads, &r);
      }
    }
  for (int i = 0; i < attn_isa_count(); i++)
    for (int type = ATTN_F32; type <= ATTN_BF16 && attn_isa_available(i); type++)
      for (int n = 0; n < cases; n++)
        partly_visible((attn_type)type, attn_isa_name(i), (place)(n % PLACES), &r);
  return expect_finish();
}
