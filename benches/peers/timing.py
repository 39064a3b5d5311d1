"""What the peers share: their arguments, medians, and the peak of resident memory."""

import json
import resource
import sys
import time

from networks import BASE, SIZES


def arguments():
    """RUNS, BATCH and NETWORK of the command line, with their defaults."""
    given = dict(enumerate(sys.argv[1:]))
    network = given.get(2, BASE)
    return int(given.get(0, 5)), int(given.get(1, SIZES[network][0])), network


def medians(name, work, runs):
    """Runs each piece of work once without counting, then takes the median of `runs` times."""
    found = {"name": name}
    for key, run in work.items():
        run()
        secs, cpu_start = [], time.process_time()
        for _ in range(runs):
            start = time.perf_counter()
            run()
            secs.append(time.perf_counter() - start)
        # Both cores together: says more than the time on the wall where other programs run too.
        found[f"{key}_cpu_secs"] = (time.process_time() - cpu_start) / runs
        found[f"{key}_secs"] = sorted(secs)[len(secs) // 2]
        # Linux counts in kilobytes.
        found[f"{key}_peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(found))
