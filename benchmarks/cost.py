"""python -I -S cost.py OUTPUT ARGV...: run one program, and print its exit code, wall time, CPU time and memory.

A process of its own, and small: the memory that a child's parent had at the fork counts as the child's (getrusage(2), ru_maxrss).
"""

import os
import sys
import time

into = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)]
into += [(os.POSIX_SPAWN_OPEN, number, sys.argv[1], os.O_WRONLY | os.O_APPEND, 0) for number in (1, 2)]
began = time.perf_counter()
child = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ, file_actions=into)
_, status, usage = os.wait4(child, 0)
wall = time.perf_counter() - began
sys.stdout.write(f"{os.waitstatus_to_exitcode(status)} {wall} {usage.ru_utime + usage.ru_stime} {usage.ru_maxrss / 1024}\n")
