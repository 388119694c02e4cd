/* Each status of attn_backward: the argument that brings it about, a message that names it, gradients left alone. */
#include <string.h>

#include "attention.h"
#include "expect.h"

enum { B = 2, H = 4, G = 2, SQ = 6, SK = 8, D = 16, DV = 12 };

static float query[B * H * SQ * D], key[B * G * SK * D], value[B * G * SK * DV], bias[H * SQ * SK], sinks[H];
static float output[B * H * SQ * DV], lse[B * H * SQ], output_gradient[B * H * SQ * DV];
static uint8_t mask[SQ * SK];

/* Where results go, with room behind each. */
static struct results {
  float query[B * H * SQ * D], key[B * G * SK * D], value[B * G * SK * DV], bias[H * SQ * SK], sinks[H + 8];
} results;

/* A call that succeeds, for each test to spoil. */
typedef struct call {
  attn_problem problem;
  attn_input output, lse, output_gradient;
  attn_gradients to;
} call;

static call good_call(void) {
  call c = {attn_problem_init(ATTN_F32, B, H, G, SQ, SK, D, DV), attn_input_bhsd(output, H, SQ, DV),
            attn_input_bhsd(lse, H, SQ, 1), attn_input_bhsd(output_gradient, H, SQ, DV),
            {.query = attn_output_bhsd(results.query, H, SQ, D),
             .key = attn_output_bhsd(results.key, G, SK, D),
             .value = attn_output_bhsd(results.value, G, SK, DV),
             .sinks = results.sinks}};
  c.to.bias.data = results.bias;
  c.to.bias.stride_head = SQ * SK, c.to.bias.stride_row = SK, c.to.bias.stride_key = 1;
  c.problem.query.data = query;
  c.problem.key.data = key;
  c.problem.value.data = value;
  c.problem.mask = (attn_mask){mask, 0, 0, SK, 1};
  c.problem.bias = (attn_bias){bias, ATTN_F32, 0, SQ * SK, SK, 1};
  c.problem.sinks = sinks;
  c.problem.threads = 1;
  return c;
}

static attn_status run(const call *c) {
  return attn_backward(&c->problem, &c->output, &c->lse, &c->output_gradient, &c->to);
}

static bool blank(const void *p, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (((const uint8_t *)p)[i] != 0xA5) return false;
  return true;
}

static void expect_refused(const call *c, attn_status want, const char *name) {
  memset(&results, 0xA5, sizeof results);
  expect_context("status %d, %s", (int)want, name);
  EXPECT_INT(run(c), want);
  EXPECT_CONTAINS(attn_error_message(), name);
  EXPECT(blank(&results, sizeof results));
}

#define REFUSE(status, name, ...)     \
  do {                                \
    call c = good_call();             \
    __VA_ARGS__;                      \
    expect_refused(&c, status, name); \
  } while (0)

static void pointers(void) {
  REFUSE(ATTN_ERROR_NULL_POINTER, "query", c.problem.query.data = NULL);
  REFUSE(ATTN_ERROR_NULL_POINTER, "key", c.problem.key.data = NULL);
  REFUSE(ATTN_ERROR_NULL_POINTER, "value", c.problem.value.data = NULL);
  REFUSE(ATTN_ERROR_NULL_POINTER, "output", c.output.data = NULL);
  REFUSE(ATTN_ERROR_NULL_POINTER, "lse", c.lse.data = NULL);
  REFUSE(ATTN_ERROR_NULL_POINTER, "output_gradient", c.output_gradient.data = NULL);
  REFUSE(ATTN_ERROR_NULL_POINTER, "sinks", c.problem.sinks = NULL);
  call c = good_call();
  memset(&results, 0xA5, sizeof results);
  expect_context("null structs");
  EXPECT_INT(attn_backward(NULL, &c.output, &c.lse, &c.output_gradient, &c.to), ATTN_ERROR_NULL_POINTER);
  EXPECT_CONTAINS(attn_error_message(), "problem");
  EXPECT_INT(attn_backward(&c.problem, NULL, &c.lse, &c.output_gradient, &c.to), ATTN_ERROR_NULL_POINTER);
  EXPECT_CONTAINS(attn_error_message(), "output");
  EXPECT_INT(attn_backward(&c.problem, &c.output, NULL, &c.output_gradient, &c.to), ATTN_ERROR_NULL_POINTER);
  EXPECT_CONTAINS(attn_error_message(), "lse");
  EXPECT_INT(attn_backward(&c.problem, &c.output, &c.lse, NULL, &c.to), ATTN_ERROR_NULL_POINTER);
  EXPECT_CONTAINS(attn_error_message(), "output_gradient");
  EXPECT_INT(attn_backward(&c.problem, &c.output, &c.lse, &c.output_gradient, NULL), ATTN_ERROR_NULL_POINTER);
  EXPECT_CONTAINS(attn_error_message(), "gradients");
  EXPECT(blank(&results, sizeof results));
}

/* What attn_forward refuses of a problem is refused here too. */
static void options(void) {
  REFUSE(ATTN_ERROR_UNINITIALIZED, "struct_size", c.problem.struct_size = 0);
  REFUSE(ATTN_ERROR_NEGATIVE_SIZE, "head_dim", c.problem.head_dim = 0);
  REFUSE(ATTN_ERROR_HEAD_GROUPS, "query_heads", c.problem.kv_heads = 3);
  REFUSE(ATTN_ERROR_TYPE, "type", c.problem.type = (attn_type)4);
  REFUSE(ATTN_ERROR_SOFTCAP, "softcap", c.problem.softcap = -1);
  REFUSE(ATTN_ERROR_DROPOUT, "dropout_probability", c.problem.dropout_probability = 1);
  REFUSE(ATTN_ERROR_ALIGNMENT, "query_length 6", c.problem.causal = true);
  REFUSE(ATTN_ERROR_WINDOW, "window", c.problem.window_left = -2);
  REFUSE(ATTN_ERROR_THREADS, "threads", c.problem.threads = -1);
  REFUSE(ATTN_ERROR_ISA, "isa", c.problem.isa = "quantum");
  REFUSE(ATTN_ERROR_OVERFLOW, "output_gradient", c.output_gradient.stride_batch = INT64_MAX);
  REFUSE(ATTN_ERROR_OVERFLOW, "gradients.key", c.to.key.stride_row = INT64_MAX / 2);
  const int32_t table[B * 2] = {0, 1, 2, 3};
  REFUSE(ATTN_ERROR_PAGES, "paged", c.problem.page_table = table; c.problem.page_rows = 4; c.problem.page_count = 4;
         c.problem.pages_per_sequence = 2);
}

/* Each gradient laid over each input, over each gradient checked before it, and over itself. */
static void overlap(void) {
  const struct {
    const char *name;
    const void *data;
  } inputs[] = {{"query", query},   {"key", key},   {"value", value},
                {"mask", mask},     {"bias", bias}, {"output", output},
                {"lse", lse},       {"output_gradient", output_gradient}};
  static const char *const names[5] = {"gradients.query", "gradients.key", "gradients.value", "gradients.bias",
                                       "gradients.sinks"};
  for (int g = 0; g < 5; g++) {
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
      call c = good_call();
      void **to[5] = {&c.to.query.data, &c.to.key.data, &c.to.value.data, &c.to.bias.data, &c.to.sinks};
      *to[g] = (void *)(uintptr_t)inputs[i].data;
      memset(&results, 0xA5, sizeof results);
      expect_context("%s over %s", names[g], inputs[i].name);
      EXPECT_INT(run(&c), ATTN_ERROR_OVERLAP);
      EXPECT_CONTAINS(attn_error_message(), names[g]);
      EXPECT(blank(&results, sizeof results));
    }
    for (int other = 0; other < g; other++) {
      call c = good_call();
      void **to[5] = {&c.to.query.data, &c.to.key.data, &c.to.value.data, &c.to.bias.data, &c.to.sinks};
      *to[g] = *to[other];
      expect_refused(&c, ATTN_ERROR_OVERLAP, names[g]);
      EXPECT_CONTAINS(attn_error_message(), names[other]);
    }
  }
  REFUSE(ATTN_ERROR_OVERLAP, "gradients.query", c.to.query.stride_row = D - 1);
  REFUSE(ATTN_ERROR_OVERLAP, "gradients.key", c.to.key.stride_head = 0);
  REFUSE(ATTN_ERROR_OVERLAP, "gradients.value", c.to.value.stride_batch = 0);
  REFUSE(ATTN_ERROR_OVERLAP, "gradients.bias", c.to.bias.stride_head = SQ * SK - 1);
}

/* Nothing wanted is no error; nor are gradients of nothing. */
static void nothing(void) {
  call c = good_call();
  c.to = (attn_gradients){.sinks = NULL};
  expect_context("nothing wanted");
  EXPECT_INT(run(&c), ATTN_OK);

  memset(&results, 0xA5, sizeof results);
  c = good_call();
  c.problem.batch = 0;
  expect_context("B = 0");
  EXPECT_INT(run(&c), ATTN_OK);
  EXPECT(blank(results.query, sizeof results.query) && blank(results.key, sizeof results.key) &&
         blank(results.value, sizeof results.value));
  for (int h = 0; h < H; h++) EXPECT(results.sinks[h] == 0);

  /* Without queries the keys' gradients are 0 and no query's pointer is read. */
  for (int threads = 1; threads <= 7; threads += 6) {
    memset(&results, 0xA5, sizeof results);
    c = good_call();
    c.problem.query_length = 0;
    c.problem.threads = threads;
    c.problem.query.data = c.output.data = c.lse.data = c.output_gradient.data = c.to.query.data = NULL;
    expect_context("Sq = 0 threads %d", threads);
    EXPECT_INT(run(&c), ATTN_OK);
    for (int i = 0; i < B * G * SK * D; i++) EXPECT(results.key[i] == 0);
    for (int i = 0; i < B * G * SK * DV; i++) EXPECT(results.value[i] == 0);
    for (int h = 0; h < H; h++) EXPECT(results.sinks[h] == 0);

    /* Without keys, the queries'. */
    memset(&results, 0xA5, sizeof results);
    c = good_call();
    c.problem.key_length = 0;
    c.problem.threads = threads;
    c.problem.key.data = c.problem.value.data = c.to.key.data = c.to.value.data = NULL;
    for (int i = 0; i < B * H * SQ; i++) lse[i] = -__builtin_inff();
    expect_context("Sk = 0 threads %d", threads);
    EXPECT_INT(run(&c), ATTN_OK);
    for (int i = 0; i < B * H * SQ * D; i++) EXPECT(results.query[i] == 0);
    for (int h = 0; h < H; h++) EXPECT(results.sinks[h] == 0);
    memset(lse, 0, sizeof lse);
  }
}

int main(void) {
  call c = good_call();
  expect_context("the call that the others spoil");
  EXPECT_INT(run(&c), ATTN_OK);
  pointers();
  options();
  overlap();
  nothing();
  return expect_finish();
}
