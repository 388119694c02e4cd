/* Assertions that report and go on; a program ends with expect_finish, which fails when one failed or none ran. */
#ifndef EXPECT_H
#define EXPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a failure message names beside its line: the case under test. */
void expect_context(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The seed of this run: ATTENTION_TEST_SEED, else 1. Every failure names it. */
uint64_t expect_seed(void);
/* How many random cases to run: ATTENTION_TEST_CASES, else `normally`; of these ATTENTION_TEST_SHARE per cent. */
int expect_cases(int normally);

bool expect_true(bool condition, const char *text, const char *file, int line);
bool expect_int(int64_t got, int64_t want, const char *text, const char *file, int line);
/* |got - want| <= tolerance; NaN wants NaN, an infinity wants the same infinity. */
bool expect_near(long double got, long double want, long double tolerance, const char *text, const char *file,
                 int line);
bool expect_text(const char *got, const char *want, const char *text, const char *file, int line);
/* `text` contains `part`. */
bool expect_contains(const char *got, const char *part, const char *text, const char *file, int line);
/* The same doubles to the bit (any NaN equals any NaN). */
bool expect_same(const double *got, const double *want, int64_t n, const char *text, const char *file, int line);

#define EXPECT(condition) expect_true(condition, #condition, __FILE__, __LINE__)
#define EXPECT_INT(got, want) expect_int(got, want, #got, __FILE__, __LINE__)
#define EXPECT_NEAR(got, want, tolerance) expect_near(got, want, tolerance, #got, __FILE__, __LINE__)
#define EXPECT_TEXT(got, want) expect_text(got, want, #got, __FILE__, __LINE__)
#define EXPECT_CONTAINS(got, part) expect_contains(got, part, #got, __FILE__, __LINE__)
#define EXPECT_SAME(got, want, n) expect_same(got, want, n, #got, __FILE__, __LINE__)

/* Prints how many checks ran and returns the exit status. */
int expect_finish(void);

#endif
