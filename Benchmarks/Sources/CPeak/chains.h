/* Numbers of chains. Sixteen vector registers hold 12 chains and the two operands: 2 ports of latency 4 need 8, the
 * two instructions of mul+add about 11. With 32 registers there is room for 24; Apple's cores need 16. */
#define CHAINS_12(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define CHAINS_24(X) \
  CHAINS_12(X) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23)
