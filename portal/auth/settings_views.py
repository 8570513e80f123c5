"""Pages of the settings and of the plugins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.auth import plugin_state, services, settings_admin
from portal.auth.current import current_actor
from portal.auth.permissions import PLUGINS, SETTINGS
from portal.auth.plugin_switch import switched
from portal.core import settings
from portal.core.errors import Invalid, NotFound
from portal.core.transaction import transaction
from portal.core.web import access
from portal.i18n import _, _l, _n
from portal.pluginmanager import PluginError, manager

blueprint = Blueprint("admin", __name__, url_prefix="/admin")

#: What the modules of the core are called; plugins have a title of their own.
MODULE_TITLES: dict[str, Any] = {
    "org": _l("People and departments"),
    "auth": _l("Log-in and uploads"),
    "audit": _l("Audit trail"),
    "jobs": _l("Jobs"),
    "notifications": _l("Notices"),
    "documents": _l("Documents"),
    "backups": _l("Backups"),
    "charts": _l("Charts"),
    "approvals": _l("Approvals"),
    "customers": _l("Customers"),
    "purchases": _l("Purchases"),
    "home": _l("Home"),
}


@dataclass(frozen=True)
class ModuleTab:
    """One tab of the settings page."""

    label: str
    url: str
    active: bool
    count: int | None = None


def module_title(module: str) -> str:
    """The name of a module or plugin in the reader's language."""
    for plugin in manager().plugins:
        if plugin.info.name == module:
            return str(plugin.info.title)
    return str(MODULE_TITLES.get(module, module))


@blueprint.route("/settings", endpoint="settings", methods=["GET"], defaults={"module": ""})
@blueprint.route("/settings/<module>", endpoint="settings", methods=["GET", "POST"])
@access(SETTINGS)
def settings_page(module: str) -> ResponseReturnValue:
    """The settings of one module at a time."""
    known = settings_admin.modules()
    if not module:
        module = known[0] if known else ""
    elif module not in known:
        raise NotFound()
    definitions = settings_admin.settings_of(module)
    form = settings_admin.make_form(definitions)
    status = 200
    if form.is_submitted():
        if form.validate():
            try:
                with transaction():
                    values, was = settings_admin.posted_values(form, definitions)
                    changed = settings_admin.change_settings(values, was, current_actor())
            except Invalid as error:
                form.show(error)
                _take_present_values(form, definitions)
                status = 409
            else:
                flash(_n("%(num)s setting changed.", "%(num)s settings changed.", len(changed)), "success")
                return redirect(url_for("admin.settings", module=module))
        else:
            status = 400
    tabs = [ModuleTab(module_title(name), url_for("admin.settings", module=name), name == module) for name in known]
    return (
        render_template(
            "auth/settings.html",
            form=form,
            definitions=definitions,
            field_name=settings_admin.field_name,
            tabs=tabs,
            module=module,
            title=module_title(module) if module else "",
            changed=settings_admin.changed_keys(),
            describe=describe,
        ),
        status,
    )


def _take_present_values(form: Any, definitions: list[settings.Setting]) -> None:
    """After a conflict the form carries the present values, so that sending it again decides."""
    for setting in definitions:
        field = form["was__" + settings_admin.field_name(setting.key)]
        field.data = settings_admin.shown(settings.get(setting.key))
        field.raw_data = None


def describe(setting: settings.Setting, value: Any) -> str:
    """A value in words, for "the default is …"."""
    if setting.kind == "bool":
        return _("on") if value else _("off")
    names = dict(setting.choices)
    if setting.kind == "choice":
        return str(names.get(value, value))
    if setting.kind == "choices":
        return _(", ").join(str(names.get(item, item)) for item in value) or _("none")
    return str(value) if value != "" else _("empty")


@blueprint.post("/settings/<module>/reset")
@access(SETTINGS)
def reset_setting(module: str) -> ResponseReturnValue:
    """Give one setting its default again."""
    with transaction():
        settings_admin.reset_setting(request.form.get("key", ""), current_actor())
    flash(_("The setting has its default again."), "success")
    return redirect(url_for("admin.settings", module=module))


@dataclass(frozen=True)
class PluginLine:
    """A plugin for the page."""

    name: str
    version: str
    title: Any
    summary: Any
    requires: tuple[str, ...]
    enabled: bool
    waiting: bool | None
    hooks: list[str]


@blueprint.get("/plugins", endpoint="plugins")
@access(PLUGINS)
def plugins_page() -> str:
    """Installed plugins."""
    found = manager()
    fixed = plugin_state.is_fixed_by_environment()
    off = set(plugin_state.waiting_disabled(current_app.config["DATA_DIR"]))
    lines = [
        PluginLine(
            plugin.info.name,
            plugin.info.version,
            plugin.info.title,
            plugin.info.summary,
            plugin.info.requires,
            plugin.enabled,
            None if fixed or plugin.enabled == (plugin.info.name not in off) else plugin.info.name not in off,
            found.hooks_of(plugin.info.name),
        )
        for plugin in found.plugins
    ]
    return render_template("auth/plugins.html", plugins=lines, fixed=fixed)


@blueprint.post("/plugins/<name>")
@access(PLUGINS)
def switch_plugin(name: str) -> ResponseReturnValue:
    """Switch a plugin on or off; it holds from the next start on."""
    data_dir = current_app.config["DATA_DIR"]
    enabled = request.form.get("enabled") == "1"
    try:
        if plugin_state.is_fixed_by_environment():
            raise PluginError(_("DISABLED_PLUGINS is set in the environment; change it there."))
        disabled = switched(manager().plugins, plugin_state.waiting_disabled(data_dir), name, enabled)
    except PluginError as error:
        flash(str(error), "danger")
        return redirect(url_for("admin.plugins"))
    with transaction():
        services.record_plugin_switch(name, enabled, current_actor())
    plugin_state.write_disabled(data_dir, disabled)
    flash(_("Noted. It takes effect when the portal is started again."), "success")
    return redirect(url_for("admin.plugins"))
