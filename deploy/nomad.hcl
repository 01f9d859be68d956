# nomad job run deploy/nomad.hcl: the plain executable, isolated by Nomad, without a container engine.
job "vrypt-server" {
  datacenters = ["*"]
  type        = "service"

  update {
    max_parallel     = 1
    min_healthy_time = "10s"
    auto_revert      = true
  }

  group "server" {
    count = 2

    network {
      port "http" {}
    }

    service {
      name     = "vrypt-server"
      port     = "http"
      provider = "nomad"

      check {
        type     = "http"
        path     = "/"
        interval = "10s"
        timeout  = "2s"
      }
    }

    # Taken out of the catalogue first, then stopped.
    shutdown_delay = "5s"

    task "server" {
      driver       = "exec"
      user         = "nobody"
      kill_signal  = "SIGTERM"
      kill_timeout = "20s"

      artifact {
        source = "https://example.org/vrypt-server-v0.1.0-x86_64-unknown-linux-musl.tar.gz"
      }

      config {
        command = "local/vrypt-server-v0.1.0-x86_64-unknown-linux-musl/vrypt-server"
        args    = ["--port", "${NOMAD_PORT_http}"]
      }

      resources {
        cpu    = 500
        memory = 128
      }
    }
  }
}
