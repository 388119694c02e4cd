/* NaN and infinity: in masked keys and values they change no bit, in visible ones they do what the oracle says. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"
#include "number.h"
#include "tolerance.h"
#include "trial.h"

enum { KEYS = 201, QUERIES = 53, DIM = 21, VALUE_DIM = 19 };

static double special(random_source *r) {
  const double numbers[] = {NAN, INFINITY, -INFINITY};
  return numbers[random_int(r, 0, 2)];
}

typedef enum hiding { BY_MASK, BY_LENGTH, BY_CAUSAL, BY_WINDOW, HIDINGS } hiding;

/* One key hidden from every query (or from those that the bound hides it from): clean and poisoned agree to the bit in
 * every row that cannot see it. */
static void hidden_key(attn_type type, const char *isa, hiding how, int64_t key, random_source *r) {
  trial t = trial_make(type, 1, 2, 1, QUERIES, KEYS, DIM, VALUE_DIM, r);
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
    t.problem.query_offset = how == BY_CAUSAL ? key - QUERIES / 2 : key - QUERIES / 3;
    t.problem.causal = how == BY_CAUSAL;
    if (how == BY_WINDOW) t.problem.window_left = 2;
  }
  if (random_chance(r, 0.3)) trial_add_sinks(&t, r);
  if (random_chance(r, 0.3)) t.problem.softcap = 2;
  if (random_chance(r, 0.3)) t.problem.dropout_probability = 0.3;
  trial_store(&t, NULL);
  double *clean = trial_numbers(trial_outputs(&t)), *clean_lse = trial_numbers(trial_rows(&t));
  double *dirty = trial_numbers(trial_outputs(&t)), *dirty_lse = trial_numbers(trial_rows(&t));
  trial_run(&t, isa, 1, NULL, clean, clean_lse);
  for (int64_t d = 0; d < DIM; d++) number_set(type, t.stored_key, key * DIM + d, special(r));
  for (int64_t d = 0; d < VALUE_DIM; d++) number_set(type, t.stored_value, key * VALUE_DIM + d, special(r));
  trial_run(&t, isa, 1, NULL, dirty, dirty_lse);
  for (int64_t row = 0; row < trial_rows(&t); row++) {
    if (naive_visible(&t.naive, 0, row / QUERIES, row % QUERIES, key)) continue;
    expect_context("%s %s hidden key %d row %d by %d", isa, number_type_name(type), (int)key, (int)row, (int)how);
    EXPECT_SAME(dirty + row * VALUE_DIM, clean + row * VALUE_DIM, VALUE_DIM);
    EXPECT_SAME(dirty_lse + row, clean_lse + row, 1);
  }
  free(clean), free(clean_lse), free(dirty), free(dirty_lse);
  trial_free(&t);
}

/* Specials scattered over keys or values, some of them masked: every number as the oracle has it. */
static void visible(attn_type type, const char *isa, int64_t index, random_source *r) {
  trial t = trial_make(type, 1, 2, 1, QUERIES, KEYS, DIM, VALUE_DIM, r);
  if (random_chance(r, 0.7)) trial_add_mask(&t, r, 0.5);
  if (random_chance(r, 0.3)) trial_add_sinks(&t, r);
  if (random_chance(r, 0.3)) t.problem.softcap = 2;
  if (random_chance(r, 0.3)) t.problem.dropout_probability = 0.3, t.problem.dropout_seed = (uint64_t)index;
  t.problem.causal = random_chance(r, 0.5);
  t.problem.alignment = ATTN_ALIGN_BOTTOM_RIGHT;
  for (int64_t n = random_int(r, 1, 4); n > 0; n--) {
    if (random_chance(r, 0.6))
      t.value[random_int(r, 0, KEYS * VALUE_DIM - 1)] = special(r);
    else
      t.key[random_int(r, 0, KEYS * DIM - 1)] = special(r);
  }
  if (random_chance(r, 0.2)) t.query[random_int(r, 0, QUERIES * DIM - 1)] = special(r);
  trial_store(&t, NULL);
  tolerance allowed = tolerance_make(&t.naive, type);
  double *output = trial_numbers(trial_outputs(&t)), *lse = trial_numbers(trial_rows(&t));
  trial_describe(&t, isa, index);
  trial_run(&t, isa, 1, NULL, output, lse);
  tolerance_check(&allowed, &t.naive, output, lse, NULL, NULL);
  tolerance_free(&allowed);
  free(output), free(lse);
  trial_free(&t);
}

/* An infinity among the first values, then a score so much larger that the first weights rescale to 0. */
static void early_infinity(attn_type type, const char *isa, random_source *r) {
  trial t = trial_make(type, 1, 1, 1, 1, 400, 4, 4, r);
  t.problem.scale = 1;
  for (int d = 0; d < 4; d++) {
    t.query[d] = 8;
    t.key[390 * 4 + d] = type == ATTN_F64 ? 100 : 40;
  }
  t.value[2] = INFINITY;
  t.value[7] = -INFINITY;
  trial_store(&t, NULL);
  double output[4], lse;
  trial_run(&t, isa, 1, NULL, output, &lse);
  expect_context("%s %s early infinity", isa, number_type_name(type));
  EXPECT(output[2] == INFINITY);
  EXPECT(output[3] == -INFINITY);
  EXPECT(output[0] == t.value[390 * 4]);
  EXPECT(output[1] == t.value[390 * 4 + 1]);
  trial_free(&t);
}

int main(void) {
  random_source r = {expect_seed()};
  int cases = expect_cases(30);
  for (int i = 0; i < attn_isa_count(); i++)
    for (int type = ATTN_F32; type <= ATTN_BF16 && attn_isa_available(i); type++) {
      const char *isa = attn_isa_name(i);
      for (int how = 0; how < HIDINGS; how++) {
        /* Every place in a tile of 128 keys, the tile's last, the next's first, and the tail. */
        int64_t step = cases < 30 ? 17 : 1;
        for (int64_t key = 0; key < KEYS; key += step) hidden_key((attn_type)type, isa, (hiding)how, key, &r);
        hidden_key((attn_type)type, isa, (hiding)how, KEYS - 1, &r);
      }
      for (int64_t index = 0; index < cases; index++) visible((attn_type)type, isa, index, &r);
      early_infinity((attn_type)type, isa, &r);
    }
  return expect_finish();
}
