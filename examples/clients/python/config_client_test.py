import os

from config import ConfigClient
from config.exceptions import RequestFailedException

auth = (os.environ["SERVER_USER"], os.environ["SERVER_PASSWORD"])


def client(label):
    return ConfigClient(
        address=os.environ["SERVER"], app_name="orders", profile="dev,cloud", label=label, fail_fast=False
    )


main = client("main")
main.get_config(auth=auth)
assert main.config == {
    "greeting": "hello from dev",
    "port": 8081,
    "ratio": 0.5,
    "enabled": True,
    "hosts": ["dev.example"],
    "database": {"user": "orders", "password": "mysecret"},
    "fallback": "${CLIENTS_UNSET:none}",
    "region": "eu",
    "shared": "everybody's",
}, main.config
assert main.get("database.password") == "mysecret"

assert main.get_file("nginx.conf", auth=auth) == "server { listen 80; }\n"
assert main.get_file("tls/chain.pem", auth=auth).startswith("-----BEGIN CERTIFICATE-----\n")

cipher = main.encrypt("p@ss=wörd".encode(), auth=auth)
assert main.decrypt(cipher, auth=auth) == "p@ss=wörd", cipher

# The client sends a label as it is: a slash in it has to be written in the server's way.
branch = client("feature(_)x")
branch.get_config(auth=auth)
assert branch.get("greeting") == "hello from dev"
assert branch.get("branch") == "feature/x"

for refused in (lambda: main.get_file("absent.conf", auth=auth), lambda: main.get_file("nginx.conf")):
    try:
        refused()
    except RequestFailedException:
        continue
    raise AssertionError("a file that is not there, or not for everybody, was served")
