/** Starts a stopwatch of this thread's CPU time in milliseconds, which other work on the machine does not lengthen. */
export function cpuTime(): () => number {
  const start = process.threadCpuUsage();
  return () => {
    const { user, system } = process.threadCpuUsage(start);
    return (user + system) / 1000;
  };
}
