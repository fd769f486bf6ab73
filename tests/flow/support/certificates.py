"""Certificates for tests: an authority, and what it signs, made by the openssl command."""
import dataclasses
import datetime
import pathlib
import subprocess

CONFIG = """
[ca]
default_ca = here
[here]
database = {folder}/index
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[req]
distinguished_name = name
[name]
"""


@dataclasses.dataclass
class Identity:
    cert: pathlib.Path
    key: pathlib.Path


def openssl(*args):
    done = subprocess.run(["openssl", *map(str, args)], capture_output=True, text=True)
    assert done.returncode == 0, f"openssl {args}: {done.stderr}"


def when(hours):
    """The moment that many hours from now, as `openssl ca` takes it."""
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)
    return moment.strftime("%Y%m%d%H%M%SZ")


def new_key(path):
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)
    return path


class Authority:
    """cert and key are files. Valid from an hour ago, for a day, unless a certificate says otherwise."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        (self.folder / "index").touch()
        self.config = self.folder / "config"
        self.config.write_text(CONFIG.format(folder=self.folder))
        self.key, self.cert = new_key(self.folder / "ca.key"), self.folder / "ca.pem"
        openssl("req", "-x509", "-new", "-key", self.key, "-out", self.cert, "-days", "1", "-subj",
                f"/CN={self.folder.name}", "-config", self.config, "-extensions", "authority")

    def sign(self, name, alt="IP:127.0.0.1", start=-1, end=24):
        """An identity NAME.pem and NAME.key: alt are its names, start and end hours from now."""
        key, cert, request = (self.folder / f"{name}.{kind}" for kind in ("key", "pem", "csr"))
        names = self.folder / f"{name}.names"
        names.write_text(f"subjectAltName = {alt}\nbasicConstraints = critical, CA:FALSE\n")
        openssl("req", "-new", "-key", new_key(key), "-subj", f"/CN={name}", "-out", request, "-config", self.config)
        openssl("ca", "-batch", "-notext", "-config", self.config, "-cert", self.cert, "-keyfile", self.key,
                "-in", request, "-out", cert, "-startdate", when(start), "-enddate", when(end), "-extfile", names)
        return Identity(cert, key)

    def self_signed(self, name, alt="IP:127.0.0.1"):
        """One that nobody signed but itself."""
        key, cert = new_key(self.folder / f"{name}.key"), self.folder / f"{name}.pem"
        openssl("req", "-x509", "-new", "-key", key, "-out", cert, "-days", "1", "-subj", f"/CN={name}", "-config",
                self.config, "-addext", f"subjectAltName={alt}")
        return Identity(cert, key)
