#include "expect.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A broken kernel fails everywhere; the first failures say it. */
#define MOST_PRINTED 20

static int64_t checks, failures;
static char context[512];

void expect_context(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(context, sizeof context, format, arguments);
  va_end(arguments);
}

uint64_t expect_seed(void) {
  const char *text = getenv("ATTENTION_TEST_SEED");
  return text && *text ? strtoull(text, NULL, 0) : 1;
}

int expect_cases(int normally) {
  const char *text = getenv("ATTENTION_TEST_CASES"), *share = getenv("ATTENTION_TEST_SHARE");
  int cases = text && *text ? atoi(text) : normally;
  if (cases <= 0) cases = normally;
  int percent = share && *share ? atoi(share) : 100;
  return percent > 0 && percent < 100 ? cases * percent / 100 + 1 : cases;
}

/* Counts a check; on a failure opens its message and says whether to go on writing it. */
static bool report(bool passed, const char *text, const char *file, int line) {
  checks++;
  if (passed || ++failures > MOST_PRINTED) return false;
  printf("%s:%d: seed %" PRIu64 " [%s] %s: ", file, line, expect_seed(), context, text);
  return true;
}

bool expect_true(bool condition, const char *text, const char *file, int line) {
  if (report(condition, text, file, line)) printf("is false\n");
  return condition;
}

bool expect_int(int64_t got, int64_t want, const char *text, const char *file, int line) {
  if (report(got == want, text, file, line)) printf("got %" PRId64 ", want %" PRId64 "\n", got, want);
  return got == want;
}

bool expect_near(long double got, long double want, long double tolerance, const char *text, const char *file,
                 int line) {
  bool passed = isnan(want) ? isnan(got) : isinf(want) ? got == want : fabsl(got - want) <= tolerance;
  if (report(passed, text, file, line))
    printf("got %.20Lg, want %.20Lg, apart %.3Lg, tolerance %.3Lg\n", got, want, fabsl(got - want), tolerance);
  return passed;
}

bool expect_text(const char *got, const char *want, const char *text, const char *file, int line) {
  bool passed = got && want ? strcmp(got, want) == 0 : got == want;
  if (report(passed, text, file, line)) printf("got \"%s\", want \"%s\"\n", got ? got : "", want ? want : "");
  return passed;
}

bool expect_contains(const char *got, const char *part, const char *text, const char *file, int line) {
  bool passed = got && strstr(got, part);
  if (report(passed, text, file, line)) printf("got \"%s\", want something with \"%s\"\n", got ? got : "", part);
  return passed;
}

bool expect_same(const double *got, const double *want, int64_t n, const char *text, const char *file, int line) {
  for (int64_t i = 0; i < n; i++) {
    if (memcmp(&got[i], &want[i], sizeof(double)) == 0 || (isnan(got[i]) && isnan(want[i]))) continue;
    if (report(false, text, file, line))
      printf("element %" PRId64 " of %" PRId64 ": got %.17g, want %.17g\n", i, n, got[i], want[i]);
    return false;
  }
  report(true, text, file, line);
  return true;
}

int expect_finish(void) {
  printf("%" PRId64 " checks, %" PRId64 " failed, seed %" PRIu64 "\n", checks, failures, expect_seed());
  if (checks == 0) printf("no check ran\n");
  return failures == 0 && checks > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
