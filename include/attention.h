/*
 * swift-attention: exact attention on CPUs.
 *
 * This header is the whole public C interface. It compiles alone as C11 and as C++17.
 *
 * Dimension letters, fixed everywhere:
 *   B batch, H query heads, G key/value heads, Sq query length, Sk key length,
 *   D head dimension of queries and keys, Dv head dimension of values.
 *
 * For each batch b, query head h (reading key/value head g = h / (H / G)) and query position i:
 *
 *   s_ij = cap( scale * <q_i, k_j> ) + bias_ij - slope_h * |i + offset_b - j|      (j visible)
 *   o_i  = sum_j exp(s_ij) v_j / ( sum_j exp(s_ij) + exp(sink_h) )
 *   lse_i = ln( sum_j exp(s_ij) + exp(sink_h) )
 *
 * where cap(s) = softcap * tanh(s / softcap), and every term that is not asked for is absent.
 * The S x S matrix of scores is never stored: the softmax is taken online over tiles of keys
 * (Milakov & Gimelshein 2018, arXiv:1805.02867; Dao et al. 2022, arXiv:2205.14135).
 *
 * Guarantees:
 *   - The bits of a result depend on the shape, the options and the instruction set, not on the number
 *     of threads, the batch size or a sequence's place in the batch.
 *   - A query that may attend to nothing gives output 0 and log-sum-exp -infinity.
 *   - What is masked does not leak: NaN or infinity in a masked key or value changes nothing.
 *   - The library never prints and never aborts. Memory beyond arguments is O(threads * tile) forward; backward adds
 *     two numbers a row, at most 64 MiB a thread for dq, and with additive scores D numbers a row. Never Sq x Sk.
 *   - Every function may be called from many threads at once.
 */
#ifndef ATTENTION_H
#define ATTENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ATTN_VERSION_MAJOR 0
#define ATTN_VERSION_MINOR 1
#define ATTN_VERSION_PATCH 0

/* What a call came to. Every value but ATTN_OK leaves the output untouched. */
typedef enum attn_status {
  ATTN_OK = 0,
  ATTN_ERROR_NULL_POINTER = 1,   /* a pointer that the call needs is null */
  ATTN_ERROR_UNINITIALIZED = 2,  /* the problem was not made by attn_problem_init, or by another version's */
  ATTN_ERROR_NEGATIVE_SIZE = 3,  /* a size is negative, or a dimension that must be at least 1 is 0 */
  ATTN_ERROR_OVERFLOW = 4,       /* a size, stride or extent does not fit the address arithmetic */
  ATTN_ERROR_HEAD_GROUPS = 5,    /* H is not a multiple of G */
  ATTN_ERROR_TYPE = 6,           /* an element type outside attn_type, or unsupported where it stands */
  ATTN_ERROR_NOT_FINITE = 7,     /* scale, softcap or a factor of training is NaN or infinite, or beyond its range */
  ATTN_ERROR_SOFTCAP = 8,        /* softcap is negative */
  ATTN_ERROR_DROPOUT = 9,        /* dropout probability is outside [0, 1) */
  ATTN_ERROR_ALIGNMENT = 10,     /* an alignment outside attn_alignment, or "square" with Sq != Sk */
  ATTN_ERROR_WINDOW = 11,        /* a window side below ATTN_UNBOUNDED */
  ATTN_ERROR_KEY_LENGTH = 12,    /* a key length outside [0, Sk] */
  ATTN_ERROR_PACKING = 13,       /* sequence starts that decrease, or a sequence longer than Sq or Sk */
  ATTN_ERROR_PAGES = 14,         /* a page table that names a page outside the pool, or is too short */
  ATTN_ERROR_OVERLAP = 15,       /* an output overlaps an input, another output or itself */
  ATTN_ERROR_ISA = 16,           /* an instruction set that is unknown, or that this machine lacks */
  ATTN_ERROR_THREADS = 17,       /* a negative number of threads */
  ATTN_ERROR_OUT_OF_MEMORY = 18, /* scratch memory could not be had */
  ATTN_ERROR_SELECTION = 19      /* rows, heads or k of attn_weights, or targets, that do not fit the shape */
} attn_status;

/* One past the largest attn_status. */
#define ATTN_STATUS_COUNT 20

/* A short description of a status: a static string, never null, whatever the value. */
const char *attn_status_string(attn_status status);

/* What was wrong with the last call on this thread that did not return ATTN_OK, with names and numbers, such as
 * "query_heads (6) is not a multiple of kv_heads (4)". Valid until the next call on this thread; never null. */
const char *attn_error_message(void);

/* Element types. F32 and F64 compute in their own type, F16 and BF16 storage computes in F32. "The compute type"
 * below is double for ATTN_F64 and float for the others. */
typedef enum attn_type { ATTN_F32 = 0, ATTN_F64 = 1, ATTN_F16 = 2, ATTN_BF16 = 3 } attn_type;

/* A read-only [batch, heads, rows, dimension] view. Strides are in elements, may be zero (broadcast) or negative; the
 * last axis is contiguous. BHSD is {H*S*D, S*D, D}, BSHD is {S*H*D, D, H*D}. */
typedef struct attn_input {
  const void *data;
  int64_t stride_batch, stride_head, stride_row;
} attn_input;

/* A view that is written, otherwise like attn_input. Its elements must be distinct: no zero stride on an axis longer
 * than 1. Its address range (from the first to the last element, gaps included) must not meet that of an input or of
 * another output. */
typedef struct attn_output {
  void *data;
  int64_t stride_batch, stride_head, stride_row;
} attn_output;

/* A boolean mask broadcast to [B, H, Sq, Sk]: a byte a pair, nonzero = attend. Null data = no mask. Strides in bytes,
 * zero to broadcast an axis. */
typedef struct attn_mask {
  const uint8_t *data;
  int64_t stride_batch, stride_head, stride_row, stride_key;
} attn_mask;

/* An additive bias broadcast to [B, H, Sq, Sk], in natural-log units. Null data = no bias. Strides in elements. Its
 * type may differ from the problem's: F32, F16 and BF16 go together, F64 goes with F64. */
typedef struct attn_bias {
  const void *data;
  attn_type type;
  int64_t stride_batch, stride_head, stride_row, stride_key;
} attn_bias;

/* Where query i stands among the keys: position i + offset. Causal masking, the window and ALiBi all read it. */
typedef enum attn_alignment {
  ATTN_ALIGN_SQUARE = 0,       /* offset 0; with causal, Sq = Sk is required */
  ATTN_ALIGN_TOP_LEFT = 1,     /* offset 0, whatever Sq and Sk: query 0 stands at key 0 */
  ATTN_ALIGN_BOTTOM_RIGHT = 2, /* offset Sk - Sq: the last query stands at the last key. The sizes are those of the
                                  shape (of each sequence, when packed), not key_lengths */
  ATTN_ALIGN_OFFSET = 3,       /* query_offset */
  ATTN_ALIGN_OFFSETS = 4       /* query_offsets[b] */
} attn_alignment;

/* "No bound on this side" for a window. */
#define ATTN_UNBOUNDED (-1)

/* One attention problem: shapes, inputs and options. Made by attn_problem_init, which sets every option to "off". */
typedef struct attn_problem {
  size_t struct_size; /* set by attn_problem_init */

  attn_type type; /* of query, key, value and output */
  int64_t batch, query_heads, kv_heads, query_length, key_length, head_dim, value_dim;

  attn_input query; /* [B, H, Sq, D]  */
  attn_input key;   /* [B, G, Sk, D]  */
  attn_input value; /* [B, G, Sk, Dv] */

  /* Additive attention (Bahdanau et al. 2015, arXiv:1409.0473): null, or a vector w_h of D numbers for each head in the
   * compute type. Scores are then scale * sum_d w_hd tanh(q_d + k_d) of queries and keys that have been projected
   * already (set scale to 1), and no [B, H, Sq, Sk, D] array is made. Stride from head to head; 0 = one for all. */
  const void *additive;
  int64_t additive_stride_head;

  double scale;   /* multiplies q.k; any finite value. attn_problem_init sets 1/sqrt(D) */
  double softcap; /* 0 = none; s becomes softcap * tanh(s / softcap) */

  attn_alignment alignment;
  int64_t query_offset;
  const int64_t *query_offsets; /* [B] */

  bool causal;                       /* key j is visible to query i when j <= i + offset */
  int64_t window_left, window_right; /* and when i + offset - left <= j <= i + offset + right */
  const int64_t *key_lengths;        /* [B], or null: keys at and after key_lengths[b] are invisible */
  attn_mask mask;
  attn_bias bias;

  const void *alibi_slopes; /* [H] in the compute type, or null (Press et al. 2021, arXiv:2108.12409) */
  const void *sinks;        /* [H] in the compute type, or null: a logit per head in the denominator only */

  double dropout_probability; /* 0 = none. The weights kept are divided by 1 - probability */
  uint64_t dropout_seed;      /* pair (b, h, i, j) is dropped when word j mod 4 of Philox4x32-10 (Salmon et al. 2011)
                                 at counter (j / 4, i, h, b), keyed by the seed, is below probability * 2^32 rounded to
                               the nearest integer */

  /* Packed sequences: row starts [B + 1] of each sequence in query (and output, lse) and in key and value. The batch
   * stride of a packed view is not used; Sq and Sk are the longest lengths allowed. Null = padded. */
  const int64_t *query_starts;
  const int64_t *key_starts;

  /* Paged keys and values: row j of batch b is row j % page_rows of page page_table[b * pages_per_sequence
   * + j / page_rows]; the batch strides of key and value step from page to page. Null = not paged. */
  const int32_t *page_table;
  int64_t page_rows, page_count, pages_per_sequence;

  int64_t *progress; /* null, or a counter that attn_forward increments as each work item ends, up to
                        attn_plan_info.items; read it from another thread with attn_progress_read */

  int threads;     /* 0 = OpenMP's choice (OMP_NUM_THREADS), fewer where the work is not worth them */
  const char *isa; /* null = the best this machine has, or what ATTENTION_ISA names; else a name of attn_isa_name */
} attn_problem;

/* A problem over dense BHSD arrays with every option off: scale = 1/sqrt(D), no mask, strides of contiguous BHSD.
 * The data pointers are null: set query.data, key.data and value.data. */
attn_problem attn_problem_init(attn_type type, int64_t batch, int64_t query_heads, int64_t kv_heads,
                               int64_t query_length, int64_t key_length, int64_t head_dim, int64_t value_dim);

/* Strides of a contiguous [batch, heads, rows, dim] array. */
attn_output attn_output_bhsd(void *data, int64_t heads, int64_t rows, int64_t dim);
/* Strides of a contiguous [batch, rows, heads, dim] array. */
attn_output attn_output_bshd(void *data, int64_t heads, int64_t rows, int64_t dim);
attn_input attn_input_bhsd(const void *data, int64_t heads, int64_t rows, int64_t dim);
attn_input attn_input_bshd(const void *data, int64_t heads, int64_t rows, int64_t dim);

/* Fused scaled-dot-product attention, forward.
 *   output  [B, H, Sq, Dv], of the problem's type
 *   lse     [B, H, Sq] in the compute type (attn_output with a row of one element), or null when not wanted:
 *           natural log-sum-exp of the final scores, undropped; -infinity for a row that may attend to nothing
 * Returns ATTN_OK, or what is wrong with the arguments, and then writes nothing. */
attn_status attn_forward(const attn_problem *problem, const attn_output *output, const attn_output *lse);

/* Where attn_backward puts its results; null data = not wanted. Strides as in attn_output. */
typedef struct attn_gradients {
  attn_output query; /* [B, H, Sq, D],  of the problem's type */
  attn_output key;   /* [B, G, Sk, D],  of the problem's type; keys that no query sees get 0 */
  attn_output value; /* [B, G, Sk, Dv], of the problem's type */

  /* The gradient of the bias in the compute type, strides in elements: an axis with stride 0 is summed over, as it must
   * be where problem.bias repeats along it. Packed problems index it by sequence; pairs outside a sequence get 0. */
  struct {
    void *data;
    int64_t stride_batch, stride_head, stride_row, stride_key;
  } bias;

  void *sinks; /* [H] in the compute type */

  void *additive; /* as problem.additive, summed over all heads where its stride is 0 */
} attn_gradients;

/* Gradients of a loss L through attn_forward, recomputed tile by tile from the saved output and log-sum-exp:
 *
 *   p_ij  = exp(s_ij - lse_i)                      dv_j   = sum_i m_ij p_ij do_i
 *   ds_ij = p_ij (m_ij <do_i, v_j> - <do_i, o_i>)  dbias  = sum of ds over what it was broadcast over
 *   dq_i  = scale sum_j c_ij ds_ij k_j             dk_j   = scale sum_i c_ij ds_ij q_i
 *   dsink_h = -sum_i exp(sink_h - lse_i) <do_i, o_i>
 *
 * For additive scores, with t_ijd = tanh(q_id + k_jd),
 *   dq_id = scale w_d sum_j c_ij ds_ij (1 - t_ijd^2), dk_jd the same summed over i,
 *   dw_d  = scale sum_ij c_ij ds_ij t_ijd.
 * Here m_ij is the dropout mask / (1 - probability) and c_ij = 1 - tanh(s / softcap)^2 of the capped score (1 without a
 * cap). Masked pairs add nothing. No S x S memory, no atomics, the same bits at any number of threads.
 *   output           [B, H, Sq, Dv] as attn_forward wrote it
 *   lse              [B, H, Sq] in the compute type as attn_forward wrote it
 *   output_gradient  [B, H, Sq, Dv], do
 * NaN or infinity in a masked key, value or query leaks into no gradient of another row. Paged keys have no gradients:
 * ATTN_ERROR_PAGES. */
attn_status attn_backward(const attn_problem *problem, const attn_input *output, const attn_input *lse,
                          const attn_input *output_gradient, const attn_gradients *gradients);

/* Which weights attn_weights makes, and where it puts them. All zeros asks for nothing. With H' the number of heads
 * chosen, or 1 when averaged, and R the number of rows chosen, all arrays are contiguous and, but for top_keys, in the
 * compute type; null = not wanted. */
typedef struct attn_weights_request {
  const int64_t *heads; /* query heads, in this order; null = all H */
  int64_t head_count;   /* of heads */
  const int64_t *rows;  /* query positions, in this order, of every sequence; null = all Sq */
  int64_t row_count;    /* of rows */
  bool averaged;        /* weights are the mean over the heads chosen instead of each head's */

  void *scores;  /* [B, H', R, Sk] after scale, softcap, bias and ALiBi; -infinity where masked. Not with averaged */
  void *weights; /* [B, H', R, Sk] after the softmax (sinks in the denominator), without dropout; a row that attends to
                    nothing is 0 */

  int64_t top;       /* k of the next two */
  int64_t *top_keys; /* [B, H', R, k]: the keys of the k largest weights, largest first, equal ones by key, NaN before
                        all; -1 when fewer than k weights are above 0 */
  void *top_weights; /* [B, H', R, k]: their weights; 0 where the key is -1 */

  void *column_sums; /* [B, H', Sk]: the sum over the rows chosen, what each key receives; accumulated in double */
} attn_weights_request;

/* Scores and weights of chosen rows and heads, recomputed from queries, keys and the saved log-sum-exp. Memory beyond
 * the arrays asked for is O(threads * tile): top_keys and column_sums of a long sequence never make Sq x Sk numbers.
 *   lse  the contiguous [B, H, Sq] result of attn_forward (of packed problems too, indexed by sequence); not read for
 *        scores alone, which may pass null
 * Packed problems index rows and keys by sequence: what lies beyond a sequence's own lengths is -infinity and 0. The
 * same bits at any number of threads, and for a row whatever other rows are chosen with it. */
attn_status attn_weights(const attn_problem *problem, const void *lse, const attn_weights_request *request);

/* Matrix product, row-major: C = op(A) op(B), or C += op(A) op(B), with op(A) of m x k and op(B) of k x n.
 *   a    [m, k] with rows lda apart, or [k, m] when transpose_a
 *   b    [k, n] with rows ldb apart, or [n, k] when transpose_b
 *   c    [m, n] with rows ldc apart; must meet neither a nor b
 * ATTN_F32 and ATTN_F64. Each element is one chain of multiply-adds in the order of k, of which the first is a product
 * unless C is added to (a sum of zeros may be -0): the same bits at any number of threads (0 = OpenMP's choice, fewer
 * where the work is not worth them). It is what the layers use, so that a process needs no second threading runtime. */
attn_status attn_matmul(attn_type type, bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                        const void *a, int64_t lda, const void *b, int64_t ldb, void *c, int64_t ldc, bool accumulate,
                        int threads);

/*
 * Recurrent layers: one layer in one direction over packed sequences, with gates and weights as in PyTorch.
 *
 *   LSTM (Hochreiter & Schmidhuber 1997), gates i, f, g, o:   GRU (Cho et al. 2014, arXiv:1406.1078), gates r, z, n:
 *     a = x W_ih^T + b_ih + h W_hh^T + b_hh                     a = x W_ih^T + b_ih,  q = h W_hh^T + b_hh
 *     i, f, o = sigmoid(a_i, a_f, a_o),  g = tanh(a_g)          r = sigmoid(a_r + q_r),  z = sigmoid(a_z + q_z)
 *     c' = f c + i g                                            n = tanh(a_n + r q_n)
 *     h' = o tanh(c')                                           h' = (1 - z) n + z h
 *
 * Dimensions: B sequences, H hidden units, K gates (4 or 3), T steps, N rows: a packed array has the B_0 first elements
 * of the sequences, then the B_1 second ones and so on, N in all. Sequences are sorted by length, longest first, so
 * that row b of every step is sequence b. The input's part of the gates, x W_ih^T, is the caller's: one product over
 * all rows (attn_matmul), and its gradients likewise from those of the gates. Scratch memory: W_hh once and two states
 * a sequence; backward N H numbers for the gradient of the weight, and N K H for a GRU.
 */
typedef struct attn_recurrence {
  attn_type type; /* ATTN_F32 or ATTN_F64 */
  int64_t batch, hidden, steps;
  const int64_t *step_rows;                  /* [T]: B_t, never increasing, at most B */
  bool reverse;                              /* from each sequence's own last element to its first */
  const void *weight;                        /* W_hh [K H, H], one gate behind the other */
  const void *input_bias, *hidden_bias;      /* b_ih, b_hh [K H], or null = 0 */
  const void *initial_hidden, *initial_cell; /* h, c before the first step [B, H], or null = 0; a GRU has no c */
  int threads;                               /* 0 = OpenMP's choice */
} attn_recurrence;

/* What a recurrent layer computes, all of the layer's type. */
typedef struct attn_recurrence_states {
  void *gates;                     /* [N, K H]: in x W_ih^T, out the gates */
  void *cell;                      /* [N, H], LSTM: c'; GRU: q_n */
  void *hidden;                    /* [N, H]: h' */
  int64_t hidden_row;              /* from row to row of hidden, in elements */
  void *final_hidden, *final_cell; /* [B, H]: after each sequence's last step, the initial state where it has none; null
                                      = not wanted. A GRU has no c */
} attn_recurrence_states;

/* Gradients given, and those wanted. */
typedef struct attn_recurrence_gradients {
  const void *hidden;                    /* of states.hidden [N, H], or null = 0 */
  int64_t hidden_row;                    /* from row to row of it, in elements */
  const void *final_hidden, *final_cell; /* of the final states [B, H], or null = 0 */

  void *gates;                         /* [N, K H], of x W_ih^T; must be given */
  void *weight;                        /* [K H, H], or null = not wanted, as all that follow */
  void *input_bias, *hidden_bias;      /* [K H] */
  void *initial_hidden, *initial_cell; /* [B, H] */
} attn_recurrence_gradients;

/* Forward. Each element of h W_hh^T + b_hh is one chain of multiply-adds in the order of the hidden units, so that the
 * bits of a sequence are the same at any number of threads and whatever else is in the batch. Outputs may meet neither
 * inputs nor each other. */
attn_status attn_lstm_forward(const attn_recurrence *layer, const attn_recurrence_states *states);
attn_status attn_gru_forward(const attn_recurrence *layer, const attn_recurrence_states *states);

/* Backward from what forward left in states; final states are not read. Sums over rows (weight and biases) run in the
 * order of the rows: the same bits at any number of threads. */
attn_status attn_lstm_backward(const attn_recurrence *layer, const attn_recurrence_states *states,
                               const attn_recurrence_gradients *gradients);
attn_status attn_gru_backward(const attn_recurrence *layer, const attn_recurrence_states *states,
                              const attn_recurrence_gradients *gradients);

/*
 * Training. Everything below takes ATTN_F32 and ATTN_F64 and gives the same bits at any number of threads (0 = OpenMP's
 * choice).
 */

/* Cross-entropy of the classes that an affine layer finds for rows of hidden units:
 *   z = hidden W^T + b,  p = softmax(z),  loss = sum over rows of (1 - e) (-log p_target) + e / V sum_j (-log p_j)
 * with label smoothing e (Szegedy et al. 2016, arXiv:1512.00567). Dimensions: N rows, H hidden units, V classes. Rows
 * pass through in blocks, so that memory beyond the arrays is that of some rows of logits, never of all.
 */
typedef struct attn_cross_entropy_problem {
  attn_type type;
  int64_t rows, hidden, classes;         /* N, H, V */
  const void *hidden_rows;               /* [N, H] */
  const void *weight;                    /* W [V, H] */
  const void *bias;                      /* b [V], or null = 0 */
  const int64_t *targets;                /* [N], each in [0, V) */
  double smoothing;                      /* e, in [0, 1) */
  double scale;                          /* what the gradients are multiplied by: 1 / N for those of the mean loss */
  void *hidden_gradient;                 /* [N, H] or null = not wanted, as the next two */
  void *weight_gradient, *bias_gradient; /* [V, H], [V] */
  int threads;
} attn_cross_entropy_problem;

/* The sums over all rows. */
typedef struct attn_cross_entropy_sums {
  double loss;                    /* with label smoothing */
  double negative_log_likelihood; /* without: -log p_target */
} attn_cross_entropy_sums;

attn_status attn_cross_entropy(const attn_cross_entropy_problem *problem, attn_cross_entropy_sums *sums);

/* A step of Adam (Kingma and Ba 2015, arXiv:1412.6980), with decoupled weight decay (Loshchilov and Hutter 2019):
 *   g = scale gradient,  m' = b1 m + (1 - b1) g,  v' = b2 v + (1 - b2) g^2
 *   x' = (1 - rate decay) x - rate / (1 - b1^t) m' / (sqrt(v') / sqrt(1 - b2^t) + epsilon)
 */
typedef struct attn_adam {
  attn_type type;
  double rate, beta1, beta2, epsilon, decay;
  double scale; /* of the gradients: 1, or less to clip them */
  int64_t step; /* t, from 1 */
  int threads;
} attn_adam;

/* Numbers that take the step together, in place. */
typedef struct attn_adam_part {
  int64_t count;
  const void *gradient;            /* null = 0 */
  void *parameter, *mean, *square; /* x, m, v */
} attn_adam_part;

attn_status attn_adam_step(const attn_adam *adam, const attn_adam_part *parts, int64_t count);

/* *sum = the sum of the squares of `count` numbers, in runs of fixed length that are added in their order. */
attn_status attn_sum_of_squares(attn_type type, const void *numbers, int64_t count, int threads, double *sum);

/* x = f(x + b) for each of `rows` rows of x [rows, columns]; bias null = 0, and f = tanh or nothing. */
attn_status attn_bias_rows(attn_type type, int64_t rows, int64_t columns, void *x, const void *bias, bool tanh,
                           int threads);

/* The derivative of that tanh: x = x (1 - y^2) for `count` numbers, y what attn_bias_rows left. */
attn_status attn_tanh_gradient(attn_type type, int64_t count, void *x, const void *y, int threads);

/* Each of `rows` rows of x [rows, columns] becomes the logarithms of its softmax. */
attn_status attn_log_softmax(attn_type type, int64_t rows, int64_t columns, void *x, int threads);

/* y[i] = 0 with the given probability, else x[i] / (1 - probability); y may be x. Whether number i is dropped follows
 * from the seed and i alone: 2^-53 (h >> 11) < probability for output i of SplitMix64 (Steele, Lea, Flood 2014). */
attn_status attn_drop(attn_type type, int64_t count, const void *x, void *y, double probability, uint64_t seed,
                      int threads);

/* Rows by index: row to[i] of dst = row from[i] of src, for i < rows, `columns` numbers each.
 *   src, dst  rows src_stride and dst_stride numbers apart; dst meets neither src nor an index
 *   from, to  [rows], null = i; a negative from[i] makes a row of zeros; no to[i] stands twice */
attn_status attn_copy_rows(attn_type type, int64_t rows, int64_t columns, const void *src, int64_t src_stride,
                           const int64_t *from, void *dst, int64_t dst_stride, const int64_t *to, int threads);

/* The work items that a call under way has ended. The caller sets the counter to 0 before the call. */
int64_t attn_progress_read(const int64_t *progress);

/* What a forward call will do. */
typedef struct attn_plan_info {
  const char *isa;                                   /* the table of tile functions */
  const char *kernel;                                /* its name, such as "avx2-f32" */
  int64_t register_rows, register_columns;           /* the register tile of both products; where twice as many
                                                        columns are left, half as many rows of them */
  int64_t block_rows;                                /* query rows of a score tile */
  int64_t block_keys;                                /* keys of a score tile */
  int64_t item_rows;                                 /* query rows of a work item */
  int64_t items;                                     /* work items */
  int64_t threads;                                   /* threads that will be used */
  int64_t scratch_bytes;                             /* scratch memory of all threads */
  int64_t tiles_full, tiles_boundary, tiles_skipped; /* score tiles by kind */
  double visible_pairs;                              /* (query, key) pairs inside causal, window and lengths */
  double flops;                                      /* 2 (D + Dv) a visible pair */
  double flops_executed;                             /* the same for the pairs that the tiles compute */
  double bytes;                                      /* inputs read once and outputs written once */
  double expected_share; /* flops as a share of the FMA peak, by count of instructions: products of the pairs that the
                            tiles compute, the softmax at 23 operations a pair, packing (or reading in place) at 13 a
                            number of each work item's keys and values. Options, short rows and memory cost more than
                            it knows of; 0 when there is nothing to do */
} attn_plan_info;

/* Fills info with the plan of attn_forward for this problem. Data pointers are not read and may be null. */
attn_status attn_plan_forward(const attn_problem *problem, attn_plan_info *info);

/* Instruction sets compiled in, best first: attn_isa_name(0) .. attn_isa_name(attn_isa_count() - 1). */
int attn_isa_count(void);
const char *attn_isa_name(int index);
/* Whether this machine can run it. */
bool attn_isa_available(int index);
/* The name a call with isa = null runs on: ATTENTION_ISA where it is set, else the best available. Null when
 * ATTENTION_ISA names none that can run: calls then return ATTN_ERROR_ISA. */
const char *attn_isa_default(void);

/* OpenMP's current choice, the most that a call with threads = 0 uses; 1 when built without OpenMP. */
int attn_max_threads(void);
/* Bytes of a core's level-1 data and level-2 cache, as the tile sizes use them. */
int64_t attn_cache_bytes(int level);
/* "major.minor.patch". */
const char *attn_version(void);

/* Frees the scratch memory that is kept from call to call. Safe at any time; a call under way keeps its own. */
void attn_release_memory(void);

/* Has the process keep the memory that it frees, from now to its end: for a program that does little else than train,
 * where every batch takes and frees arrays of many megabytes. glibc gives such memory back to the system, which clears it
 * anew, page by page, for the next batch. With other C libraries nothing changes. */
void attn_keep_freed_memory(void);

/* Slopes of ALiBi for a number of heads, 2^(-8 (h+1) / heads) for powers of two; for other counts the slopes of the
 * next lower power of two, then every other slope of the next higher one, as in the code of the paper's authors. */
attn_status attn_alibi_slopes(int64_t heads, double *slopes);

#ifdef __cplusplus
}
#endif

#endif
