"""Connections that are kept, where what comes over them comes at another time than usual."""
import pytest
from harness import SHIM
from support.certificates import Authority
from support.host import Host
from support.nginx import Nginx
from support.rules import workflow
from support.silence import retried_behind_a_silence


@pytest.fixture
def nginx(tmp_path):
    authority = Authority(tmp_path / "authority")
    made = Nginx(tmp_path / "nginx", tls=authority.sign("nginx"), http2=True, log_format="$http_webhook_id $connection")
    made.authority = authority
    yield made
    made.close()


@pytest.fixture
def host(tmp_path, nginx):
    config = f'return {{ targets = {{ ["{nginx.url}"] = {{ ca = "{nginx.authority.cert}" }} }} }}'
    made = Host(tmp_path, {"w.lua": workflow(nginx.url, timeout='"1s"')}, config=config, test_clock=True,
                env={"LD_PRELOAD": str(SHIM), "FAULTS_RECV_WAITS": "1"})
    yield made
    made.stop()


def test_one_that_answered_in_one_go_is_known_to_be_dead(host, nginx):
    """curl was never told to wait for an answer, from the connect on: the socket is kept all the same."""
    id = retried_behind_a_silence(host, nginx)
    kept = nginx.lines()[1][1]
    assert [line for line in nginx.lines() if line[0] == id and line[1] != kept], nginx.lines()
