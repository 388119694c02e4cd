/* Each status: the argument that brings it about, a message that names it, and an output left alone. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attention.h"
#include "expect.h"
#include "trial.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

enum { B = 2, H = 4, G = 2, SQ = 6, SK = 8, D = 16 };

/* A call that succeeds, for each test to spoil. */
typedef struct call {
  attn_problem problem;
  attn_output output, lse;
} call;

static float query[B * H * SQ * D], key[B * G * SK * D], value[B * G * SK * D];
static float output[B * H * SQ * D], lse[B * H * SQ];

static call good_call(void) {
  call c = {attn_problem_init(ATTN_F32, B, H, G, SQ, SK, D, D), attn_output_bhsd(output, H, SQ, D),
            attn_output_bhsd(lse, H, SQ, 1)};
  c.problem.query.data = query;
  c.problem.key.data = key;
  c.problem.value.data = value;
  c.problem.threads = 1;
  return c;
}

static bool all_bytes(const void *p, size_t n, uint8_t byte) {
  for (size_t i = 0; i < n; i++)
    if (((const uint8_t *)p)[i] != byte) return false;
  return true;
}

static void expect_refused(const call *c, attn_status want, const char *name) {
  memset(output, 0xA5, sizeof output);
  memset(lse, 0xA5, sizeof lse);
  expect_context("status %d, %s", (int)want, name);
  EXPECT_INT(attn_forward(&c->problem, &c->output, &c->lse), want);
  EXPECT_CONTAINS(attn_error_message(), name);
  EXPECT(all_bytes(output, sizeof output, 0xA5));
  EXPECT(all_bytes(lse, sizeof lse, 0xA5));
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
  REFUSE(ATTN_ERROR_NULL_POINTER, "query_offsets", c.problem.alignment = ATTN_ALIGN_OFFSETS);
  call c = good_call();
  expect_context("null structs");
  EXPECT_INT(attn_forward(NULL, &c.output, NULL), ATTN_ERROR_NULL_POINTER);
  EXPECT_CONTAINS(attn_error_message(), "problem");
  EXPECT_INT(attn_forward(&c.problem, NULL, NULL), ATTN_ERROR_NULL_POINTER);
  EXPECT_CONTAINS(attn_error_message(), "output");
  EXPECT_INT(attn_plan_forward(&c.problem, NULL), ATTN_ERROR_NULL_POINTER);
  EXPECT_CONTAINS(attn_error_message(), "info");
  EXPECT_INT(trial_weights(NULL, NULL, lse, NULL), ATTN_ERROR_NULL_POINTER);
  EXPECT_INT(trial_weights(&c.problem, NULL, NULL, output), ATTN_ERROR_NULL_POINTER);
  EXPECT_CONTAINS(attn_error_message(), "lse");
  EXPECT_INT(attn_weights(&c.problem, lse, NULL), ATTN_ERROR_NULL_POINTER);
  EXPECT_CONTAINS(attn_error_message(), "request");
  EXPECT_INT(attn_alibi_slopes(3, NULL), ATTN_ERROR_NULL_POINTER);
  EXPECT_CONTAINS(attn_error_message(), "slopes");
  EXPECT_INT(attn_alibi_slopes(-1, NULL), ATTN_ERROR_NEGATIVE_SIZE);
  EXPECT_CONTAINS(attn_error_message(), "heads");
}

static void sizes(void) {
  REFUSE(ATTN_ERROR_UNINITIALIZED, "struct_size", c.problem.struct_size = 0);
  REFUSE(ATTN_ERROR_UNINITIALIZED, "struct_size", c.problem.struct_size -= 8);
  const struct {
    const char *name;
    size_t at;
    bool may_be_zero;
  } fields[] = {{"batch", offsetof(attn_problem, batch), true},
                {"query_heads", offsetof(attn_problem, query_heads), false},
                {"kv_heads", offsetof(attn_problem, kv_heads), false},
                {"query_length", offsetof(attn_problem, query_length), true},
                {"key_length", offsetof(attn_problem, key_length), true},
                {"head_dim", offsetof(attn_problem, head_dim), false},
                {"value_dim", offsetof(attn_problem, value_dim), false}};
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
    const int64_t negative[] = {-1, INT64_MIN}, large[] = {(int64_t)INT32_MAX + 1, INT64_MAX};
    for (int n = 0; n < 2; n++) {
      REFUSE(ATTN_ERROR_NEGATIVE_SIZE, fields[i].name, memcpy((char *)&c.problem + fields[i].at, &negative[n], 8));
      REFUSE(ATTN_ERROR_OVERFLOW, fields[i].name, memcpy((char *)&c.problem + fields[i].at, &large[n], 8));
    }
    if (!fields[i].may_be_zero)
      REFUSE(ATTN_ERROR_NEGATIVE_SIZE, fields[i].name, memset((char *)&c.problem + fields[i].at, 0, 8));
  }
  REFUSE(ATTN_ERROR_HEAD_GROUPS, "query_heads (4)", c.problem.kv_heads = 3);
  REFUSE(ATTN_ERROR_HEAD_GROUPS, "kv_heads (8)", c.problem.kv_heads = 8);
  REFUSE(ATTN_ERROR_OVERFLOW, "query", c.problem.query.stride_row = INT64_MAX / 2);
  REFUSE(ATTN_ERROR_OVERFLOW, "key", c.problem.key.stride_head = INT64_MIN);
  REFUSE(ATTN_ERROR_OVERFLOW, "value", c.problem.value.stride_batch = INT64_MAX);
  REFUSE(ATTN_ERROR_OVERFLOW, "output", c.output.stride_row = INT64_MIN / 2);
  REFUSE(ATTN_ERROR_OVERFLOW, "lse", c.lse.stride_batch = INT64_MAX);
  REFUSE(ATTN_ERROR_OVERFLOW, "mask", c.problem.mask = (attn_mask){(uint8_t *)key, 0, 0, INT64_MAX, 1});
  REFUSE(ATTN_ERROR_OVERFLOW, "bias", c.problem.bias = (attn_bias){key, ATTN_F32, 0, 0, 0, INT64_MAX});
  /* Every size at its largest. */
  attn_problem p =
      attn_problem_init(ATTN_F64, INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX);
  p.query.data = p.key.data = p.value.data = key;
  attn_output o = attn_output_bhsd(output, 1, 1, 1);
  expect_context("the largest sizes");
  EXPECT_INT(attn_forward(&p, &o, NULL), ATTN_ERROR_OVERFLOW);
  EXPECT_INT(trial_weights(&p, NULL, output, NULL), ATTN_ERROR_OVERFLOW);
  attn_plan_info info;
  EXPECT_INT(attn_plan_forward(&p, &info), ATTN_ERROR_OVERFLOW);
  expect_context("more work items than can be counted");
  p = attn_problem_init(ATTN_F32, INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX, 1, 1);
  EXPECT_INT(attn_plan_forward(&p, &info), ATTN_ERROR_OVERFLOW);
}

static void options(void) {
  REFUSE(ATTN_ERROR_TYPE, "type", c.problem.type = (attn_type)4);
  REFUSE(ATTN_ERROR_TYPE, "type", c.problem.type = (attn_type)-1);
  REFUSE(ATTN_ERROR_TYPE, "bias.type", c.problem.bias = (attn_bias){key, (attn_type)4, 0, 0, 0, 0});
  REFUSE(ATTN_ERROR_TYPE, "bias.type", c.problem.bias = (attn_bias){key, ATTN_F64, 0, 0, 0, 0});
  REFUSE(ATTN_ERROR_TYPE, "bias.type", c.problem.type = ATTN_F64;
         c.problem.bias = (attn_bias){key, ATTN_F32, 0, 0, 0, 0});
  REFUSE(ATTN_ERROR_NOT_FINITE, "scale", c.problem.scale = NAN);
  REFUSE(ATTN_ERROR_NOT_FINITE, "scale", c.problem.scale = -INFINITY);
  REFUSE(ATTN_ERROR_NOT_FINITE, "scale", c.problem.scale = 1e39);
  REFUSE(ATTN_ERROR_NOT_FINITE, "softcap", c.problem.softcap = NAN);
  REFUSE(ATTN_ERROR_NOT_FINITE, "softcap", c.problem.softcap = INFINITY);
  REFUSE(ATTN_ERROR_NOT_FINITE, "softcap", c.problem.softcap = 1e39);
  REFUSE(ATTN_ERROR_SOFTCAP, "softcap", c.problem.softcap = -1);
  REFUSE(ATTN_ERROR_DROPOUT, "dropout_probability", c.problem.dropout_probability = 1);
  REFUSE(ATTN_ERROR_DROPOUT, "dropout_probability", c.problem.dropout_probability = -0.1);
  REFUSE(ATTN_ERROR_DROPOUT, "dropout_probability", c.problem.dropout_probability = NAN);
  REFUSE(ATTN_ERROR_ALIGNMENT, "alignment", c.problem.alignment = (attn_alignment)5);
  REFUSE(ATTN_ERROR_ALIGNMENT, "alignment", c.problem.alignment = (attn_alignment)-1);
  REFUSE(ATTN_ERROR_ALIGNMENT, "query_length 6", c.problem.causal = true);
  REFUSE(ATTN_ERROR_WINDOW, "window", c.problem.window_left = -2);
  REFUSE(ATTN_ERROR_WINDOW, "window", c.problem.window_right = INT64_MIN);
  const int64_t too_long[B] = {3, SK + 1}, negative[B] = {-1, 3};
  REFUSE(ATTN_ERROR_KEY_LENGTH, "key_lengths[1]", c.problem.key_lengths = too_long);
  REFUSE(ATTN_ERROR_KEY_LENGTH, "key_lengths[0]", c.problem.key_lengths = negative);
  REFUSE(ATTN_ERROR_THREADS, "threads", c.problem.threads = -1);
  REFUSE(ATTN_ERROR_ISA, "isa names 'quantum'", c.problem.isa = "quantum");
  REFUSE(ATTN_ERROR_ISA, "isa", c.problem.isa = "");
}

static void packing(void) {
  const int64_t falling[B + 1] = {0, 5, 3}, long_one[B + 1] = {0, SQ + 1, SQ + 1}, negative[B + 1] = {-1, 2, 3};
  const int64_t long_keys[B + 1] = {0, 1, SK + 2};
  REFUSE(ATTN_ERROR_PACKING, "query_starts[2]", c.problem.query_starts = falling);
  REFUSE(ATTN_ERROR_PACKING, "query_starts", c.problem.query_starts = long_one);
  REFUSE(ATTN_ERROR_PACKING, "query_starts[0]", c.problem.query_starts = negative);
  REFUSE(ATTN_ERROR_PACKING, "key_starts[2]", c.problem.key_starts = falling);
  REFUSE(ATTN_ERROR_PACKING, "key_starts", c.problem.key_starts = long_keys);

  const int32_t table[B * 2] = {0, 1, 2, 3}, beyond[B * 2] = {0, 1, 4, 3}, below[B * 2] = {0, -1, 2, 3};
#define PAGED                                                                                                        \
  c.problem.page_table = table, c.problem.page_rows = 4, c.problem.page_count = 4, c.problem.pages_per_sequence = 2, \
  c.problem.key.stride_batch = c.problem.value.stride_batch = G * 4 * D
  REFUSE(ATTN_ERROR_PAGES, "page 4", PAGED; c.problem.page_table = beyond);
  REFUSE(ATTN_ERROR_PAGES, "page -1", PAGED; c.problem.page_table = below);
  REFUSE(ATTN_ERROR_PAGES, "page_rows", PAGED; c.problem.page_rows = 0);
  REFUSE(ATTN_ERROR_PAGES, "pages_per_sequence", PAGED; c.problem.pages_per_sequence = 1);
  REFUSE(ATTN_ERROR_PAGES, "pages_per_sequence", PAGED; c.problem.pages_per_sequence = -1);
  REFUSE(ATTN_ERROR_PAGES, "page_count", PAGED; c.problem.page_count = -1);
  const int64_t starts[B + 1] = {0, 3, 5};
  REFUSE(ATTN_ERROR_PAGES, "key_starts", PAGED; c.problem.key_starts = starts);
}

static void overlap(void) {
  REFUSE(ATTN_ERROR_OVERLAP, "output overlaps query", c.problem.query.data = output);
  REFUSE(ATTN_ERROR_OVERLAP, "output overlaps key", c.problem.key.data = output + B * H * SQ * D - 1);
  REFUSE(ATTN_ERROR_OVERLAP, "output overlaps value", c.problem.value.data = output);
  REFUSE(ATTN_ERROR_OVERLAP, "lse overlaps output", c.lse.data = output + 5);
  REFUSE(ATTN_ERROR_OVERLAP, "lse overlaps query", c.lse.data = query);
  REFUSE(ATTN_ERROR_OVERLAP, "mask", c.problem.mask = (attn_mask){(uint8_t *)output, 0, 0, 0, 0});
  REFUSE(ATTN_ERROR_OVERLAP, "bias", c.problem.bias = (attn_bias){lse, ATTN_F32, 0, 0, 0, 1});
  REFUSE(ATTN_ERROR_OVERLAP, "output", c.output.stride_row = D - 1);
  REFUSE(ATTN_ERROR_OVERLAP, "output", c.output.stride_batch = 0);
  REFUSE(ATTN_ERROR_OVERLAP, "lse", c.lse.stride_head = 0);
  /* A stride along an axis of one element is never taken. */
  call c = good_call();
  c.problem.batch = 1;
  c.problem.query_heads = c.problem.kv_heads = 1;
  c.output.stride_batch = c.lse.stride_batch = 0;
  c.output.stride_head = c.problem.query.stride_head = INT64_MIN;
  c.lse.stride_head = INT64_MAX;
  expect_context("strides of axes of size 1");
  EXPECT_INT(attn_forward(&c.problem, &c.output, &c.lse), ATTN_OK);
  /* Side by side is not overlap. */
  float together[B * H * SQ * (D + 1)];
  c = good_call();
  c.output.data = together;
  c.lse.data = together + B * H * SQ * D;
  EXPECT_INT(attn_forward(&c.problem, &c.output, &c.lse), ATTN_OK);
}

/* In a child with little address space, scratch for rows of 2^30 numbers cannot be had. The rows do not exist either:
 * the call must fail before it reads them. */
static void out_of_memory(void) {
#ifndef SANITIZED
  pid_t child = fork();
  if (child == 0) {
    const struct rlimit limit = {1 << 30, 1 << 30};
    setrlimit(RLIMIT_AS, &limit);
    attn_problem p = attn_problem_init(ATTN_F32, 1, 1, 1, 1, 1, 1 << 30, 1);
    p.query.data = query, p.key.data = key, p.value.data = value, p.threads = 1;
    attn_output o = attn_output_bhsd(output, 1, 1, 1);
    memset(output, 0xA5, sizeof output);
    bool passed = attn_forward(&p, &o, NULL) == ATTN_ERROR_OUT_OF_MEMORY && strstr(attn_error_message(), "bytes") &&
                  all_bytes(output, sizeof output, 0xA5);
    _exit(passed ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  expect_context("out of memory");
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
#endif
}

static void texts(void) {
  for (int s = 0; s < ATTN_STATUS_COUNT; s++) {
    expect_context("text of status %d", s);
    EXPECT(strlen(attn_status_string((attn_status)s)) > 0);
    EXPECT(s == 0 || strcmp(attn_status_string((attn_status)s), attn_status_string((attn_status)(s - 1))) != 0);
    EXPECT(strcmp(attn_status_string((attn_status)s), attn_status_string((attn_status)ATTN_STATUS_COUNT)) != 0);
  }
  EXPECT(attn_status_string((attn_status)-1) != NULL);
  char version[32];
  snprintf(version, sizeof version, "%d.%d.%d", ATTN_VERSION_MAJOR, ATTN_VERSION_MINOR, ATTN_VERSION_PATCH);
  EXPECT_TEXT(attn_version(), version);
}

int main(void) {
  call c = good_call();
  expect_context("the call that the others spoil");
  EXPECT(attn_error_message() != NULL);
  EXPECT_INT(attn_forward(&c.problem, &c.output, &c.lse), ATTN_OK);
  pointers();
  sizes();
  options();
  packing();
  overlap();
  out_of_memory();
  texts();
  return expect_finish();
}
