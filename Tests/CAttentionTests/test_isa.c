/* Choosing an instruction set: by name, by ATTENTION_ISA, and the one that was chosen runs. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attention.h"
#include "expect.h"

enum { S = 20, D = 8 };
static float numbers[3][S * D];

static attn_problem problem(void) {
  attn_problem p = attn_problem_init(ATTN_F32, 1, 1, 1, S, S, D, D);
  p.query.data = numbers[0];
  p.key.data = numbers[1];
  p.value.data = numbers[2];
  p.threads = 1;
  return p;
}

/* Whether check() holds in a child with ATTENTION_ISA set to name. */
static bool with_variable(const char *name, bool (*check)(void)) {
  pid_t child = fork();
  if (child == 0) {
    setenv("ATTENTION_ISA", name, 1);
    _exit(check() ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool runs_portable(void) {
  float forced[S * D], asked[S * D];
  attn_problem p = problem();
  attn_plan_info info;
  attn_output output = attn_output_bhsd(forced, 1, S, D);
  if (attn_plan_forward(&p, &info) != ATTN_OK || strcmp(info.isa, "portable") != 0) return false;
  if (!attn_isa_default() || strcmp(attn_isa_default(), "portable") != 0) return false;
  if (attn_forward(&p, &output, NULL) != ATTN_OK) return false;
  p.isa = "portable";
  output.data = asked;
  return attn_forward(&p, &output, NULL) == ATTN_OK && memcmp(forced, asked, sizeof forced) == 0;
}

static bool is_refused(void) {
  float untouched[S * D];
  memset(untouched, 0xA5, sizeof untouched);
  attn_problem p = problem();
  attn_plan_info info;
  attn_output output = attn_output_bhsd(untouched, 1, S, D);
  bool refused = !attn_isa_default() && attn_plan_forward(&p, &info) == ATTN_ERROR_ISA &&
                 attn_forward(&p, &output, NULL) == ATTN_ERROR_ISA && strstr(attn_error_message(), "ATTENTION_ISA") &&
                 strstr(attn_error_message(), "abacus");
  for (size_t i = 0; i < sizeof untouched; i++) refused = refused && ((uint8_t *)untouched)[i] == 0xA5;
  /* A name in the call goes before the variable. */
  p.isa = "portable";
  return refused && attn_forward(&p, &output, NULL) == ATTN_OK;
}

static bool is_default(void) {
  unsetenv("ATTENTION_ISA");
  int best = 0;
  while (!attn_isa_available(best)) best++;
  attn_problem p = problem();
  attn_plan_info info;
  return strcmp(attn_isa_default(), attn_isa_name(best)) == 0 && attn_plan_forward(&p, &info) == ATTN_OK &&
         strcmp(info.isa, attn_isa_name(best)) == 0;
}

int main(void) {
  for (int i = 0; i < 3; i++)
    for (int n = 0; n < S * D; n++) numbers[i][n] = (float)((n * 37 + i * 11) % 64) / 32 - 1;
  expect_context("ATTENTION_ISA");
  EXPECT(with_variable("portable", runs_portable));
  EXPECT(with_variable("abacus", is_refused));
  EXPECT(with_variable("", is_default));
  EXPECT(with_variable("unset by the child", is_default));

  expect_context("the list");
  EXPECT(attn_isa_count() >= 1);
  EXPECT_TEXT(attn_isa_name(attn_isa_count() - 1), "portable");
  EXPECT(attn_isa_available(attn_isa_count() - 1));
  EXPECT(attn_isa_name(-1) == NULL && attn_isa_name(attn_isa_count()) == NULL);
  EXPECT(!attn_isa_available(-1) && !attn_isa_available(attn_isa_count()));
  for (int i = 0; i < attn_isa_count(); i++) {
    attn_problem p = problem();
    p.isa = attn_isa_name(i);
    attn_plan_info info;
    expect_context("%s", p.isa);
    EXPECT_INT(attn_plan_forward(&p, &info), attn_isa_available(i) ? ATTN_OK : ATTN_ERROR_ISA);
    if (!attn_isa_available(i)) continue;
    EXPECT_TEXT(info.isa, p.isa);
    EXPECT_CONTAINS(info.kernel, p.isa);
    EXPECT_CONTAINS(info.kernel, "f32");
    p.type = ATTN_F64;
    EXPECT_INT(attn_plan_forward(&p, &info), ATTN_OK);
    EXPECT_CONTAINS(info.kernel, "f64");
  }
  return expect_finish();
}
