import os
import urllib.request

from ecmind_spring_config.config import Config

# The client takes the process's opener, which shows the password when the server asks for it.
passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
passwords.add_password(None, os.environ["SERVER"], os.environ["SERVER_USER"], os.environ["SERVER_PASSWORD"])
urllib.request.install_opener(urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(passwords)))

os.environ["spring.application.name"] = "orders"
os.environ["spring.profiles.active"] = "dev,cloud"
os.environ["spring.cloud.config.uri"] = os.environ["SERVER"]


def check(config):
    assert config["greeting"] == "hello from dev", config["greeting"]
    assert config["port"] == 8081
    assert config["enabled"] is True
    assert config["hosts"] == ["dev.example"], config["hosts"]
    assert config["database"] == {"user": "orders", "password": "mysecret"}
    assert config["region"] == "eu"
    assert config["shared"] == "everybody's"
    assert config.get("absent", 42) == 42


check(Config(locations=[]))
os.environ["spring.cloud.config.label"] = "main"
check(Config(locations=[]))
