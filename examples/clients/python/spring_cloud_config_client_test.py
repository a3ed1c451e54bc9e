import os

os.environ["CONFIG_SERVER_FQDN"] = os.environ["SERVER"] + "/"
os.environ["CONFIG_CLIENT_FAIL_FAST"] = "True"
# Its documentation says CONFIG_SERVER_USERNAME; its code reads these.
os.environ["CONFIG_USERNAME"] = os.environ["SERVER_USER"]
os.environ["CONFIG_PASSWORD"] = os.environ["SERVER_PASSWORD"]

from spring_cloud_config_client import props  # noqa: E402

props.init("orders", ["dev", "cloud"])
assert props.get("greeting") == "hello from dev", props.get("greeting")
assert props.get("port") == 8081
assert props.get("ratio") == 0.5
assert props.get("hosts") == ["dev.example"], props.get("hosts")
assert props.get("database") == {"user": "orders", "password": "mysecret"}
assert props.get("region") == "eu"
assert props.get("shared") == "everybody's"
assert props.get("fallback") == "none"
assert props.get("absent", 42) == 42

props.init(profiles=["dev"])
assert props.get("shared") == "everybody's"
assert props.get("greeting") is None
