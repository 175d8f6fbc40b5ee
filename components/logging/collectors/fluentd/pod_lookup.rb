# Labels and annotations of pods, from the Kubernetes API.
#
# Fluentd's own metadata filter passes lines on without metadata while the API server does not answer. Pods that opt out would then be sent,
# and pods selected by label left out. This lookup waits instead.
# See https://github.com/ManageIQ/kubeclient

require "kubeclient"

class PodLookup
  ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
  CACHE_SECONDS = 600
  MAX_PODS = 2_000
  Pod = Struct.new(:labels, :annotations, :at)

  class Stopped < StandardError; end

  def initialize(url, log)
    @url = url || "https://#{host}:#{ENV["KUBERNETES_SERVICE_PORT"]}/api"
    @log = log
    @pods = {}
    @mutex = Mutex.new
  end

  # Blocks until the API answers; the lines stay in their file meanwhile. Raises Stopped once the block returns true. The uid tells a pod from
  # an earlier one of the same name, as a StatefulSet makes.
  def find(namespace, name, uid, &stopped)
    key = [namespace, name, uid]
    @mutex.synchronize do
      known = @pods[key]
      next known if known && now - known.at < CACHE_SECONDS
      @pods.shift if @pods.size >= MAX_PODS
      @pods[key] = ask(namespace, name, known, &stopped)
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
        # A new client reads the token again.
        @client = nil
        @log.warn "no answer for pod #{namespace}/#{name}", error: error
        return Pod.new(known.labels, known.annotations, now) if known
        sleep 1
      end
    end
    raise Stopped, "stopped before the API answered for pod #{namespace}/#{name}"
  end

  def client
    ca = "#{ACCOUNT}/ca.crt"
    token = "#{ACCOUNT}/token"
    @client ||= Kubeclient::Client.new(
      @url, "v1",
      ssl_options: File.exist?(ca) ? { ca_file: ca } : {},
      auth_options: File.exist?(token) ? { bearer_token_file: token } : {},
      timeouts: { open: 5, read: 30 }
    )
  end
end
