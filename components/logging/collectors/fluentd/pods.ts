/** File beside the filter, which loads it. */
export const POD_LOOKUP_FILE = "pod_lookup.rb";

/**
 * Asks the API server for the labels and annotations of pods. Fluentd's own filter for this sends a pod's lines without them while the
 * API server does not answer, so that what is to be left out would be sent, and what is wanted by its labels left out.
 * @see https://github.com/ManageIQ/kubeclient
 */
export const POD_LOOKUP_PROGRAM = `require "kubeclient"

# What the API server says of pods, kept for a while.
class PodLookup
  ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
  KEPT_SECONDS = 600
  MOST_PODS = 2_000
  Pod = Struct.new(:labels, :annotations, :at)

  class Stopped < StandardError; end

  def initialize(url, log)
    @url = url || "https://#{host}:#{ENV["KUBERNETES_SERVICE_PORT"]}/api"
    @log = log
    @pods = {}
    @mutex = Mutex.new
  end

  # Waits for an answer, since the lines can wait too, until stopped says that there is no time.
  def find(namespace, name, &stopped)
    @mutex.synchronize do
      known = @pods[[namespace, name]]
      next known if known && now - known.at < KEPT_SECONDS
      @pods.shift if @pods.size >= MOST_PODS
      @pods[[namespace, name]] = ask(namespace, name, known, &stopped)
    end
  end

  private

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end

  def host
    host = ENV["KUBERNETES_SERVICE_HOST"].to_s
    host.include?(":") ? "[#{host}]" : host
  end

  def ask(namespace, name, known)
    until yield
      begin
        metadata = client.get_entity("pods", name, namespace, as: :parsed)["metadata"]
        return Pod.new(metadata["labels"] || {}, metadata["annotations"] || {}, now)
      rescue Kubeclient::ResourceNotFoundError
        return known || Pod.new({}, {}, now)
      rescue StandardError => error
        # The next client reads the token again.
        @client = nil
        @log.warn "no answer for pod #{namespace}/#{name}", error: error
        return Pod.new(known.labels, known.annotations, now) if known
        sleep 1
      end
    end
    raise Stopped, "stopped before it was known whether the lines of #{namespace}/#{name} are wanted"
  end

  def client
    authority = "#{ACCOUNT}/ca.crt"
    token = "#{ACCOUNT}/token"
    @client ||= Kubeclient::Client.new(
      @url, "v1",
      ssl_options: File.exist?(authority) ? { ca_file: authority } : {},
      auth_options: File.exist?(token) ? { bearer_token_file: token } : {},
      timeouts: { open: 5, read: 30 }
    )
  end
end
`;
