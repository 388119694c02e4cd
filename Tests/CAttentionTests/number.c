#include "number.h"

#include <math.h>
#include <string.h>

/* Bits of precision and least exponent of a normal number (as 2^e). */
typedef struct format {
  int precision, least, exponent_bits;
} format;

static format format_of(attn_type type) {
  switch (type) {
    case ATTN_F64: return (format){53, -1022, 11};
    case ATTN_F16: return (format){11, -14, 5};
    case ATTN_BF16: return (format){8, -126, 8};
    case ATTN_F32: break;
  }
  return (format){24, -126, 8};
}

int64_t number_bytes(attn_type type) { return type == ATTN_F64 ? 8 : type == ATTN_F32 ? 4 : 2; }
attn_type number_compute_type(attn_type storage) { return storage == ATTN_F64 ? ATTN_F64 : ATTN_F32; }

const char *number_type_name(attn_type type) {
  return type == ATTN_F64 ? "f64" : type == ATTN_F32 ? "f32" : type == ATTN_F16 ? "f16" : "bf16";
}

static double decode(format f, uint16_t bits) {
  int mantissa_bits = f.precision - 1, exponent = bits >> mantissa_bits & ((1 << f.exponent_bits) - 1);
  int mantissa = bits & ((1 << mantissa_bits) - 1);
  double sign = bits >> 15 ? -1 : 1;
  if (exponent == (1 << f.exponent_bits) - 1) return mantissa ? NAN : sign * INFINITY;
  if (exponent == 0) return sign * ldexp(mantissa, f.least - mantissa_bits);
  return sign * ldexp(mantissa + (1 << mantissa_bits), exponent - 1 + f.least - mantissa_bits);
}

static uint16_t encode(format f, double x) {
  int mantissa_bits = f.precision - 1, infinity = ((1 << f.exponent_bits) - 1) << mantissa_bits;
  int sign = signbit(x) ? 0x8000 : 0, exponent;
  if (isnan(x)) return (uint16_t)(sign | infinity | 1 << (mantissa_bits - 1));
  double size = fabs(x);
  if (isinf(x)) return (uint16_t)(sign | infinity);
  frexp(size, &exponent);
  exponent = size == 0 || exponent - 1 < f.least ? f.least : exponent - 1;
  /* The mantissa in units of the last place; a carry moves into the exponent by itself. */
  long mantissa = (long)nearbyint(ldexp(size, mantissa_bits - exponent));
  long bits = mantissa + ((long)(exponent - f.least) << mantissa_bits);
  return (uint16_t)(sign | (bits > infinity ? infinity : bits));
}

double number_get(attn_type type, const void *array, int64_t index) {
  const char *at = (const char *)array + index * number_bytes(type);
  double wide;
  float narrow;
  uint16_t half;
  switch (type) {
    case ATTN_F64: return memcpy(&wide, at, sizeof wide), wide;
    case ATTN_F32: return memcpy(&narrow, at, sizeof narrow), narrow;
    case ATTN_F16:
    case ATTN_BF16: break;
  }
  return memcpy(&half, at, sizeof half), decode(format_of(type), half);
}

void number_set(attn_type type, void *array, int64_t index, double x) {
  char *at = (char *)array + index * number_bytes(type);
  float narrow = (float)x;
  uint16_t half;
  switch (type) {
    case ATTN_F64: memcpy(at, &x, sizeof x); return;
    case ATTN_F32: memcpy(at, &narrow, sizeof narrow); return;
    case ATTN_F16:
    case ATTN_BF16: break;
  }
  half = encode(format_of(type), x);
  memcpy(at, &half, sizeof half);
}

double number_round(attn_type type, double x) {
  double box[1];
  number_set(type, box, 0, x);
  return number_get(type, box, 0);
}

double number_unit(attn_type type) { return ldexp(1, -format_of(type).precision); }

double number_half_ulp(attn_type type, double x) {
  format f = format_of(type);
  int exponent = f.least;
  if (x != 0 && isfinite(x)) frexp(x, &exponent), exponent--;
  if (exponent < f.least) exponent = f.least;
  return ldexp(1, exponent - f.precision);
}

double number_largest(attn_type type) {
  switch (type) {
    case ATTN_F64: return 0x1.fffffffffffffp1023;
    case ATTN_F16: return 65504;
    case ATTN_BF16: return 0x1.fep127;
    default: return 0x1.fffffep127;
  }
}
