"""Fails where the products' inner loops keep vectors on the stack: registers.py OBJDUMP FILE...

A compiler may load the operands of all unrolled steps before the first multiply-add and run out of registers; results
stay right and half of the speed is gone, in one table, with one compiler. So the loops of the tile functions below are
read from the compiled files (objects, archives, libraries of x86-64). One access for 24 multiply-adds is let pass: GCC
keeps one sum of 24 on the stack from turn to turn, which hides behind the other 95 multiply-adds (98.7 % of the peak).
Exit status 77, which CTest knows as skipped, where the files hold no code (link-time optimization).
"""

import re
import subprocess
import sys

FUNCTIONS = {"scores", "accumulate", "accumulate_transposed", "product_block"}
MULTIPLY_ADDS_PER_ACCESS = 24
FEWEST_MULTIPLY_ADDS = 8  # of a loop that counts: smaller ones are the edges'


def functions(objdump, path):
    """Yields the name and the [(address, instruction)] of each function of interest."""
    command = [objdump, "-d", "--no-show-raw-insn", path]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    name, body = None, []
    for line in text.splitlines():
        if label := re.match(r"[0-9a-f]+ <(.*)>:", line):
            if name in FUNCTIONS:
                yield name, body
            name, body = label[1], []
        elif instruction := re.match(r"\s+([0-9a-f]+):\s+(\S.*)", line):
            body.append((int(instruction[1], 16), instruction[2]))
    if name in FUNCTIONS:
        yield name, body


def innermost_loops(body):
    """Stretches from the target of a backward jump to the jump which hold no other such stretch, nor a way out: code
    that is rarely run may stand between a loop and what jumps back to it."""
    index = {address: i for i, (address, _) in enumerate(body)}
    loops = set()
    for i, (_, instruction) in enumerate(body):
        jump = re.match(r"j\w+\s+(?:0x)?([0-9a-f]+)", instruction)
        if jump and index.get(int(jump[1], 16), i + 1) <= i:
            loops.add((index[int(jump[1], 16)], i))
    for first, last in loops:
        instructions = [instruction for _, instruction in body[first : last + 1]]
        if any(other != (first, last) and first <= other[0] and other[1] <= last for other in loops):
            continue
        if not any(re.match(r"(jmp|ret)", instruction) for instruction in instructions[:-1]):
            yield instructions


def main(objdump, paths):
    found, failed = {name: 0 for name in FUNCTIONS}, 0
    for path in paths:
        for name, body in functions(objdump, path):
            for loop in innermost_loops(body):
                multiply_adds = sum(bool(re.match(r"vfn?madd\d+p[sd]\b", i)) for i in loop)
                if multiply_adds < FEWEST_MULTIPLY_ADDS:
                    continue
                found[name] += 1
                accesses = sum(bool(re.search(r"%[xyz]mm", i)) and "(%rsp" in i for i in loop)
                if accesses * MULTIPLY_ADDS_PER_ACCESS > multiply_adds:
                    failed += 1
                    print(f"{path}: {name}: {accesses} vectors on the stack for {multiply_adds} multiply-adds:")
                    print("  " + "\n  ".join(loop))
    print(f"{sum(found.values())} loops of products, {failed} with vectors on the stack")
    if not any(found.values()):
        return 77
    # Every function has such loops: where one has none, they were not looked at.
    return failed > 0 or not all(found.values())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
