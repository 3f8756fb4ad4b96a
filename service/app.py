"""The HTTP application: what is mounted, in which order, on what it is handed."""

from fastapi import FastAPI

from jobs.installation.settings import Settings
from jobs.installation.version import VERSION
from jobs.store.store import Store
from models.library import Library
from service.edge import handlers
from service.edge.crowding import MOST_REQUESTS, Crowding
from service.edge.dependencies import Parts
from service.edge.metrics import Meter
from service.edge.observing import Observing
from service.endpoints import audits, findings, health, jobs, methods, models, properties, samples, schemas, usage
from service.openapi import document


def create_app(settings: Settings, store: Store, library: Library, *, most_requests: int = MOST_REQUESTS) -> FastAPI:
    """Wires the application. It reads nothing and starts nothing by itself: whoever calls decides where the parts come
    from.
    """
    app = FastAPI(
        title="Brinell",
        version=VERSION,
        description=document.DESCRIPTION,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,  # the function's: short, and unique by a test
        redirect_slashes=False,  # an address has one spelling; a redirected POST would lose its key or its body
    )
    app.state.parts = Parts(settings, store, library)
    app.state.meter = Meter(store)
    app.add_middleware(Crowding, most=most_requests)
    app.add_middleware(Observing, meter=app.state.meter)
    handlers.install(app)
    for endpoints in (models, samples, methods, jobs, properties, findings, audits, schemas, usage, health):
        app.include_router(endpoints.router)
    document.install(app)
    return app
