import { connect } from "node:net";

/**
 * Why no connection to a server comes about, as in `... which does not answer`; undefined where one does. Without credentials and TLS: what
 * the server then thinks of the kubeconfig is said by whoever uses it.
 * @param url such as `https://127.0.0.1:6443`; the port is that of the scheme by default.
 * @param milliseconds how long to wait.
 */
export function serverIssue(url: string, milliseconds = 5000): Promise<string | undefined> {
  if (!URL.canParse(url)) return Promise.resolve("is no URL");
  const { hostname, port, protocol } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({
      // A URL has brackets around an IPv6 address.
      host: hostname.replace(/^\[(.*)\]$/, "$1"),
      port: port === "" ? (protocol === "http:" ? 80 : 443) : Number(port),
      timeout: milliseconds,
    });
    const end = (issue: string | undefined) => {
      socket.destroy();
      resolve(issue);
    };
    socket.once("connect", () => end(undefined));
    socket.once("timeout", () => end(`does not answer within ${milliseconds / 1000} s`));
    socket.once("error", (error: NodeJS.ErrnoException) => end(`does not answer (${error.code ?? error.message})`));
  });
}
