#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif
import Foundation

/// How a process ended.
enum Ending: Equatable {
  case exit(Int32)
  case signal(Int32)
  case timeout
}

/// What a process left.
struct Outcome {
  var ending: Ending
  var output: [UInt8]
  var error: String

  /// stdout as text.
  var text: String { String(decoding: output, as: UTF8.self) }
  /// The lines of stderr, the unfinished last one too.
  var errorLines: [Substring] { error.split(separator: "\n") }
}

/// Runs `executable` with stdin closed and waits for its end, at most `timeout`, or until `isEnough`, which is asked
/// every millisecond; then it is killed.
///
/// stdout and stderr go to files: a child can write any amount without anybody reading, and no descriptor of this
/// process leaks into children that other tests start meanwhile.
///
/// `ATTENTION_ISA` and `OMP_NUM_THREADS` are not inherited. Crash reports are switched off, which otherwise take
/// seconds; the signal still shows in the result.
func runProcess(
  _ executable: String, _ arguments: [String], environment: [String: String] = [:], timeout: Duration = .seconds(60),
  until isEnough: () -> Bool = { false }
) throws -> Outcome {
  let directory = try TemporaryDirectory()
  let (output, error) = (directory.file("stdout"), directory.file("stderr"))
  var variables = ProcessInfo.processInfo.environment
  variables["ATTENTION_ISA"] = nil
  variables["OMP_NUM_THREADS"] = nil
  variables["SWIFT_BACKTRACE"] = "enable=no"
  variables.merge(environment) { $1 }

  let child = try spawn(
    [executable] + arguments, variables: variables.map { "\($0)=\($1)" }, output: output, error: error)
  let ending = try wait(for: child, until: .now + timeout, or: isEnough)
  return Outcome(
    ending: ending, output: try bytes(of: output), error: String(decoding: try bytes(of: error), as: UTF8.self))
}

private func spawn(_ words: [String], variables: [String], output: String, error: String) throws -> pid_t {
  #if canImport(Darwin)
    var actions: posix_spawn_file_actions_t?
  #else
    var actions = posix_spawn_file_actions_t()
  #endif
  try check("posix_spawn_file_actions_init", posix_spawn_file_actions_init(&actions))
  defer { posix_spawn_file_actions_destroy(&actions) }
  try check("addclose", posix_spawn_file_actions_addclose(&actions, 0))
  for (descriptor, path) in [(Int32(1), output), (2, error)] {
    try check(
      "addopen", posix_spawn_file_actions_addopen(&actions, descriptor, path, O_WRONLY | O_CREAT | O_TRUNC, 0o600))
  }
  var child = pid_t()
  try withCStrings(words) { words in
    try withCStrings(variables) { variables in
      try check("posix_spawn", posix_spawn(&child, words[0]!, &actions, nil, words, variables))
    }
  }
  return child
}

private func wait(
  for child: pid_t, until deadline: ContinuousClock.Instant, or isEnough: () -> Bool
) throws -> Ending {
  var status: Int32 = 0
  while true {
    let result = waitpid(child, &status, WNOHANG)
    if result == child { break }
    if result < 0, errno != EINTR { try check("waitpid", errno) }
    if ContinuousClock.now > deadline || isEnough() {
      kill(child, SIGKILL)
      while waitpid(child, &status, 0) < 0, errno == EINTR {}
      return .timeout
    }
    usleep(1000)
  }
  // WIFEXITED and its kin are macros, which Swift does not import.
  return status & 0x7F == 0 ? .exit(status >> 8 & 0xFF) : .signal(status & 0x7F)
}

private struct SystemFailure: Error {
  var operation: String
  var code: Int32
}

private func check(_ operation: String, _ code: Int32) throws {
  if code != 0 { throw SystemFailure(operation: operation, code: code) }
}

/// Calls `body` with a null-terminated array of C strings.
private func withCStrings(
  _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) throws -> Void
) rethrows {
  let pointers = strings.map { strdup($0) }
  defer { pointers.forEach { free($0) } }
  try body(pointers + [nil])
}
