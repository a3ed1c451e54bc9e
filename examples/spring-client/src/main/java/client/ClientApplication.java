package client;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.cloud.context.config.annotation.RefreshScope;
import org.springframework.cloud.context.environment.EnvironmentChangeEvent;
import org.springframework.context.event.EventListener;
import org.springframework.core.env.Environment;
import org.springframework.stereotype.Component;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** A stock Spring Boot client: reads its configuration at start and refreshes on bus events. */
@SpringBootApplication
public class ClientApplication {

	public static void main(String[] args) {
		SpringApplication.run(ClientApplication.class, args);
	}

	/** Logs every change of the environment with a wall-clock time, to measure propagation. */
	@Component
	public static class ChangeLog {

		private static final Logger log = LoggerFactory.getLogger(ChangeLog.class);

		private final Environment environment;

		final AtomicInteger changes = new AtomicInteger();

		final AtomicLong lastChangeMillis = new AtomicLong();

		public ChangeLog(Environment environment) {
			this.environment = environment;
		}

		@EventListener
		public void onChange(EnvironmentChangeEvent event) {
			long now = System.currentTimeMillis();
			this.lastChangeMillis.set(now);
			int n = this.changes.incrementAndGet();
			log.info("CHANGE n={} millis={} keys={} demo.message={}", n, now, event.getKeys(),
					this.environment.getProperty("demo.message"));
		}

	}

	/** GET /value shows the injected value; the bean is rebuilt after each refresh. */
	@RestController
	@RefreshScope
	public static class ValueController {

		@Value("${demo.message:unset}")
		private String message;

		private final Environment environment;

		private final ChangeLog changeLog;

		private final long createdMillis = System.currentTimeMillis();

		public ValueController(Environment environment, ChangeLog changeLog) {
			this.environment = environment;
			this.changeLog = changeLog;
		}

		@GetMapping("/value")
		public Map<String, Object> value() {
			Map<String, Object> body = new LinkedHashMap<>();
			body.put("value", this.message);
			body.put("environment", this.environment.getProperty("demo.message"));
			body.put("version", this.environment.getProperty("config.client.version"));
			body.put("beanCreatedMillis", this.createdMillis);
			body.put("changes", this.changeLog.changes.get());
			body.put("lastChangeMillis", this.changeLog.lastChangeMillis.get());
			return body;
		}

	}

}
